"""One file for each thing that can be true of an AvatarRuntime. Every phase is a pure function; see `lifecycle`."""
