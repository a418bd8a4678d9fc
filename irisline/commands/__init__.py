"""What a person can type, one file per errand. Each command asks the library and shows the answer; no logic lives here."""
