"""State that survives a restart: moto's records, endpoints, and asynchronous invocations."""
