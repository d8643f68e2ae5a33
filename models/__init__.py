"""The variational autoencoder and the networks it is made of."""

from awl_vae.models.networks import build_decoder, build_encoder
from awl_vae.models.vae import VAE, VARIANCES

__all__ = ["VAE", "VARIANCES", "build_decoder", "build_encoder"]
