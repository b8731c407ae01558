"""Targets that a document sets for regions, one YAML file a document; read by engine.overview.target_files."""
