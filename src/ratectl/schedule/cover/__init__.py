"""Schedule value and what an engine can say to native triggers that miss no slot. Pure."""
