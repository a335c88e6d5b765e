"""What happens to users' objects, told to whoever subscribes: CloudEvents on an SNS topic.

`announcer` is the port with its value, `sns` the implementation.
"""
