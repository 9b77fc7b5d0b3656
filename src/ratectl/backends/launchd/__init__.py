"""The launchd agents and daemons: property lists, what is installed, steps. Decides, touches nothing."""
