module avatars.dev/pause

go 1.24
