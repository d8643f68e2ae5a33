"""The unweighted loss terms of the VAE and the tables of weights for them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
