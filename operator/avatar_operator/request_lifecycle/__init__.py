"""The life of an AvatarRequest: prompts to pictures, and their deletion. Start reading at `lifecycle`."""
