"""Keras callbacks: the adaptation of the weights, and what a run needs around it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
