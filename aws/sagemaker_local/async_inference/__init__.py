"""Asynchronous inference: a queue per endpoint, S3 in, S3 out, notifications."""
