from .detection.detector import Detector as Detector
from .models.vae import VAE as VAE
from .training.api import fit as fit, train as train

__version__: str
