"""One file for each thing that can be true of an AvatarRequest. Every phase is a pure function; see `lifecycle`."""
