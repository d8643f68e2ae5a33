"""The loss-adapted search as functions of what it has trained so far."""
