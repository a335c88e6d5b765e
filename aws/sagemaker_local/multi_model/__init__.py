"""The multi-model platform: one container, many models, loaded from S3 by traffic."""
