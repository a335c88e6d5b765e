"""Real-time inference: InvokeEndpoint, on single-model and multi-model endpoints."""
