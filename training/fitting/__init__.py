"""From a folder of good images to a detector: recipes, images that are held out, the report."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
