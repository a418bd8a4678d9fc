"""The command `irisline`: what a person can type, one file per errand. Each asks the library and shows the answer."""
