"""The systemd timers and services: units, what is installed, steps. Decides, touches nothing."""
