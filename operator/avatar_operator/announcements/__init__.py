"""What happens to users' objects, told to whoever wants to know: as Events beside them, and as CloudEvents on an SNS topic.

`outbox` reads statuses for news and posts them as letters (`letter`); the `post_office` brings them in order and not for ever;
`place_troubles` is what people should know of a place, `recipients` finds the topic of an object. `announcer` is the port to
a topic, `sns` its implementation.
"""
