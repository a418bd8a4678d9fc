"""Where pictures can be found: one file per provider, all of them a search that gives candidates. None fetches a picture."""
