"""DVC's outputs as a complete MLflow run and a signed registry version."""
