"""One run directory: its settings, what is trained in it, and what is written of it."""
