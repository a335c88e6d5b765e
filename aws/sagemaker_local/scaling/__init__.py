"""CloudWatch alarms that are evaluated, and Application Auto Scaling policies that act on endpoints."""
