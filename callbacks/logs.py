"""What Keras hands to its callbacks."""

from typing import Any

Logs = dict[str, Any]
"""By name, what a batch or an epoch gave: Keras' floats, and what callbacks before have added."""
