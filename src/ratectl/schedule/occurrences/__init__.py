"""Schedule value and time zone to instants, forwards and backwards. Pure."""
