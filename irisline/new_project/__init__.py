"""A project for any pictures, in a folder of its own: what is found in them, the params that fit, and the files."""
