"""The text of a refused phrase -> what a person may have meant by it: advice with whole phrases. Pure."""
