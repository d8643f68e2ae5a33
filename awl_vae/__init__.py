"""AWL-VAE: a VAE that finds defects in images and changes the weights of its loss while it trains.

    from awl_vae import Detector, train

    detector = train("photographs", run_dir="runs/photographs", rule="climb")

Nothing below is imported before it is used, so that a name costs no TensorFlow. Each of the names
needs it, and imports it without the lines that its libraries print.
"""

import os
from pathlib import Path
from typing import Any

import lazy_loader

__version__ = "0.2.0"

_import, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        from awl_vae.system import quiet_tensorflow  # noqa: F401
    return _import(name)


# A small file can claim to be an image of any size; OpenCV, which reads this when it is imported,
# would make room for 2³⁰ pixels.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))

_CHECKOUT = Path(__file__).parent.parent
if (_CHECKOUT / "losses" / "terms.py").is_file():
    # In a checkout the rooms (models/, data/, …) lie beside this folder; installed, in it.
    __path__.append(str(_CHECKOUT))
