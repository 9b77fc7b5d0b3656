"""What the operating system starts, unattended: due slots in, durable lines out."""
