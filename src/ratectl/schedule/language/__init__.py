"""Schedule text to value and back: phrases, cron lines, explanations. Pure."""
