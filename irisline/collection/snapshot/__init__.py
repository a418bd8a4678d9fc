"""Collecting from the web: search, fetch, admit and file pictures into the pool, so that a killed run goes on where it was.

searching       asks the providers, deeper while a class is short
selection       which candidates are fetched next, and which are refused before a byte is
fetching        their bytes, from the journal, this machine or the web
admission       what becomes of a fetched picture beside those the pool has
source_lines    the lines of sources.csv meanwhile
journal         what has been fetched so far, on disk
pool_change     the change of the pool, written down first and then done
attribution     who made the pictures, as their licences ask
contact_sheets  a sheet of pictures for each class
snapshot        all of it, in rounds
replay          the recorded list, fetched again and compared
"""
