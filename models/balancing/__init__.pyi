from .balancing import Balancing as Balancing
from .control_vae import ControlVAE as ControlVAE
from .geco import GECO as GECO
from .uncertainty import UncertaintyWeights as UncertaintyWeights
