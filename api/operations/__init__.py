"""Running the server: settings, audit log, rate limits, metrics, structured logs."""
