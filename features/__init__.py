"""Frozen networks: an image to maps of features. Nothing is fitted, and nothing is random."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
