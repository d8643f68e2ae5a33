from .networks import build_decoder as build_decoder, build_encoder as build_encoder
from .shapes import feature_maps as feature_maps
from .vae import VAE as VAE
