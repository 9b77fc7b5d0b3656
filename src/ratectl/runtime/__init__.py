"""What a process stands on and several stages share: time left, locks, secrets, templates, the PostgreSQL driver."""
