"""Commands that show how jobs stand and what they recorded."""
