from .feature_networks import (
    build_feature_decoder as build_feature_decoder,
    build_feature_encoder as build_feature_encoder,
)
from .networks import build_decoder as build_decoder, build_encoder as build_encoder
from .shapes import feature_maps as feature_maps
from .vae import VAE as VAE
