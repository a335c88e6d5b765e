"""IAM at our own door: who calls, and what their policies let them do."""
