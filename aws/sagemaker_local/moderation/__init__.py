"""Rekognition, Comprehend and Bedrock Guardrails, as far as they moderate: their answers come from rules that a test sets."""
