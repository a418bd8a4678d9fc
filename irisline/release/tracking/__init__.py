"""The MLflow store: runs and versions, found and read within bounds."""
