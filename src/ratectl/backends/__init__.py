"""One module per engine, the same five verbs: detect, inspect (look); check, render, stage (pure)."""
