"""The life of an AvatarRuntime: its endpoints come, roll on change, and go. Start reading at `lifecycle`."""
