"""What lies about without an owner: found, told, and removed where the platform team wants that. Start at `collector`."""
