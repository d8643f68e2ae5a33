"""The trained VAE at work: a detector with its threshold, and what it finds in images."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
