"""What sets the weights with every batch, for the methods that have it, by their settings."""

from typing import Any

from awl_vae.data import PreparedData
from awl_vae.models.balancing import GECO, Balancing, ControlVAE, UncertaintyWeights
from awl_vae.training.config import AUCAdaptedConfig
from awl_vae.training.set_points import SetPoints, count_values, set_points


def _of_model(config: AUCAdaptedConfig, data: PreparedData) -> dict[str, Any]:
    return {
        "size": count_values(data),
        "latent_dim": config.latent_dim,
        "likelihood": config.likelihood,
    }


def _found(config: AUCAdaptedConfig, data: PreparedData) -> SetPoints:
    return set_points(
        data,
        latent_dim=config.latent_dim,
        likelihood=config.likelihood,
        variance=config.variance,
    )


def _geco(config: AUCAdaptedConfig, data: PreparedData) -> Balancing:
    given = config.tolerance
    tolerance = _found(config, data).distortion if given is None else given
    return GECO(**_of_model(config, data), tolerance=tolerance)


def _control_vae(config: AUCAdaptedConfig, data: PreparedData) -> Balancing:
    given = config.kl_target
    target = _found(config, data).rate if given is None else given
    return ControlVAE(**_of_model(config, data), target=target)


def _uncertainty(config: AUCAdaptedConfig, data: PreparedData) -> Balancing:
    return UncertaintyWeights(**_of_model(config, data))


BALANCINGS = {"geco": _geco, "control_vae": _control_vae, "uncertainty": _uncertainty}
"""By method."""
