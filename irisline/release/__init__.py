"""Published versions: tracking, registry, promotion and rollback. The only room that imports mlflow."""
