"""What changes the weights of the loss terms with every batch, by these terms: one a file.

A model that was saved with one of them is loaded by its name, so all are imported at once.
"""

from awl_vae.models.balancing.balancing import Balancing
from awl_vae.models.balancing.control_vae import ControlVAE
from awl_vae.models.balancing.geco import GECO
from awl_vae.models.balancing.uncertainty import UncertaintyWeights

__all__ = ["GECO", "Balancing", "ControlVAE", "UncertaintyWeights"]
