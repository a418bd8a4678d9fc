"""The seam: a file for each thing that a domain tells, with what it must hold and a line for each domain.

Generic rooms ask here. A domain is a folder beside `irisline/eyes/`, a line in these files, and its name in params.py: Crop.
"""
