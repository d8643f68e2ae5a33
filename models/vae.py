"""The variational autoencoder with weighted loss terms."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
import tensorflow as tf
from keras import ops

from awl_vae.losses import TERMS, VARIANCES, bce, clip_log_variance, kl, log_variance, mahalanobis
from awl_vae.models.balancing import Balancing
from awl_vae.models.feature_networks import build_feature_decoder, build_feature_encoder
from awl_vae.models.networks import build_decoder, build_encoder
from awl_vae.models.shares import (
    Share,
    all_or_none,
    means_of_all,
    num_replicas,
    sum_of_all,
)

NETWORKS = {
    "pixels": (build_encoder, build_decoder),
    "features": (build_feature_encoder, build_feature_decoder),
}
"""By what a model sees, the functions that build its encoder and its decoder."""


@keras.saving.register_keras_serializable(package="awl_vae")
class VAE(keras.Model):
    """A VAE whose loss terms have weights that can change while it trains.

    The loss of one batch is the weighted sum of the terms' batch means, Eq. (11) for two terms,
    L = α E_BC + β D_VAE, and Eq. (12) for three, L = w_M M_VAE + w_A A_VAE + w_D D_VAE:

        likelihood    terms (symbol in the paper)                                   output maps
        bernoulli     bce (E_BC, α), kl (D_VAE, β)                                  logits
        gaussian      mahalanobis (M_VAE, w_M), log_variance (A_VAE, w_A), kl (w_D)  mean, log σ²

    It sees images, or what a frozen network makes of them: standardized maps of features, whose
    likelihood is gaussian.

    Images may have one channel more, the region of interest: 1 inside and 0 outside. What is
    outside is black to the network, and has no part in a loss.

    The weights are non-trainable variables of the model. The traced training step reads them each
    time it runs, so `assign` takes effect at the next batch, and they are saved with the model.

    Training samples z = μ_z + σ_z ε. Calling the model takes z = μ_z, so that reconstructions
    and scores are deterministic (Eq. 3).

    Example, with images (N, 64, 64, 1):
        encoder (N, 64, 64, 1) -> (N, 200) -> μ_z, log σ_z² (N, 100) each
        decoder (N, 100) -> logits (N, 64, 64, 1) -> sigmoid -> x_hat (N, 64, 64, 1)

    Args:
        shape: (H, W, C) of an image, height and width divisible by 16, or of maps of features of
            any sides; (H, W) of what has one channel.
        latent_dim: number of latent variables, the paper's rank of z.
        likelihood: "bernoulli" or "gaussian".
        seed: seed of the noise ε.
        sample_latent: whether training samples z; without, z = μ_z, as in an autoencoder.
        variance: of a gaussian. "learned": σ² of each pixel is an output; "optimal": one σ² for
            all, the mean squared error of the batch (σ-VAE, Rybkin et al., 2021), which no gradient
            goes through: the log-variance alone trains nothing then.
        input_kind: which networks it is made of, a key of `NETWORKS`.
        balancing: makes the loss of training in the place of the weighted sum, and sets the
            weights with every batch.
        dtype: Keras dtype policy, such as "float32" or "mixed_bfloat16". Outputs and loss terms
            are float32 with either.

    Raises:
        ValueError: If `likelihood`, `variance` or `input_kind` is unknown, a side of an image is
            not divisible by 16, or features are not gaussian.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        latent_dim: int,
        likelihood: str = "bernoulli",
        seed: int | None = None,
        sample_latent: bool = True,
        variance: str = "learned",
        input_kind: str = "pixels",
        balancing: Balancing | None = None,
        dtype: str | keras.DTypePolicy = "float32",
        **kwargs: Any,
    ):
        for name, value, known in (
            ("likelihood", likelihood, TERMS),
            ("variance", variance, VARIANCES),
            ("input_kind", input_kind, NETWORKS),
        ):
            if value not in known:
                raise ValueError(
                    f"Expected one of {', '.join(known)} as {name}. Received: {name}={value!r}."
                )
        if input_kind == "features" and likelihood != "gaussian":
            raise ValueError(
                "Expected likelihood='gaussian' of features, which are no shares of light. "
                f"Received: likelihood={likelihood!r}."
            )
        super().__init__(dtype=dtype, **kwargs)
        height, width, channels = shape if len(shape) == 3 else (*shape, 1)
        self.shape = height, width, channels
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        self.seed = seed
        self.sample_latent = sample_latent
        self.variance = variance
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_kind = input_kind
        self.balancing = balancing
        encoder, decoder = NETWORKS[input_kind]
        self.encoder = encoder(self.shape, latent_dim=latent_dim, dtype=self.dtype_policy)
        self.decoder = decoder(
            self.shape,
            latent_dim=latent_dim,
            num_maps=channels if likelihood == "bernoulli" else 2 * channels,
            dtype=self.dtype_policy,
        )
        self.term_weights = {
            term: self.add_weight(
                name=f"weight_{term}",
                shape=(),
                initializer="ones",
                trainable=False,
                dtype="float32",
                aggregation="mean",
            )
            for term in TERMS[likelihood]
        }
        self.loss_metric = keras.metrics.Mean(name="loss", dtype="float32")
        self.term_metrics = {
            term: keras.metrics.Mean(name=term, dtype="float32") for term in TERMS[likelihood]
        }
        self.built = True

    def set_term_weights(self, weights: Mapping[str, float]) -> None:
        """Sets the weights of the loss terms, from the next batch on.

        Args:
            weights: mapping from each term's name to its weight, a positive number.

        Raises:
            ValueError: If the names are not exactly those of the model's terms.
        """
        if set(weights) != set(self.term_weights):
            raise ValueError(
                f"Expected a weight for each of {', '.join(self.term_weights)}. "
                f"Received: weights={dict(weights)}."
            )
        for term, weight in weights.items():
            self.term_weights[term].assign(weight)

    def encode(self, x: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Images or maps (N, H, W, C) to (μ_z, log σ_z²), each (N, Z) float32."""
        z_mean, z_log_var = ops.split(self.encoder(x, training=training), 2, axis=-1)
        return z_mean, z_log_var

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructs images or maps through z = μ_z.

        Args:
            x: float32 tensor (N, H, W, C); images are in [0, 1].
            training: whether layers behave as in training (none of ours differs).

        Returns:
            Float32 tensor (N, H, W, C), the mean of p(x' given z = μ_z): in [0, 1] for bernoulli,
            unbounded for gaussian.
        """
        z_mean, _ = self.encode(x, training=training)
        output = self.decoder(z_mean, training=training)
        return (
            ops.sigmoid(output) if self.likelihood == "bernoulli" else output[..., : self.shape[2]]
        )

    def compute_terms(
        self, x: tf.Tensor, training: bool = False, share: Share | None = None
    ) -> dict[str, tf.Tensor]:
        """The unweighted loss terms of each sample, with a sampled z where the model samples.

        Args:
            x: float32 tensor (N, H, W, C), images in [0, 1] or maps; with a region of interest
                (N, H, W, C + 1).
            training: whether layers behave as in training.
            share: which samples of a batch these are that is split; None for all of it.

        Returns:
            Dict from each term's name to a float32 tensor (N,), in nats.
        """
        x, roi = ops.cast(x, "float32"), None  # Keras hands arrays over as a user has set it.
        channels = self.shape[2]
        if x.shape[-1] > channels:
            x, roi = x[..., :channels], x[..., channels:]
            x *= roi
        z_mean, z_log_var = self.encode(x, training=training)
        z = z_mean
        if self.sample_latent:
            z += ops.exp(0.5 * clip_log_variance(z_log_var)) * self._noise(z_mean, share)
        output = self.decoder(z, training=training)
        if self.likelihood == "bernoulli":
            return {"bce": bce(x, output, roi), "kl": kl(z_mean, z_log_var)}
        x_mean, x_log_var = ops.split(output, 2, axis=-1)
        if self.variance == "optimal":
            optimal = ops.log(_mean_of_all(ops.square(x - x_mean), roi, share))
            x_log_var = ops.full_like(x_log_var, ops.stop_gradient(optimal))
        return {
            "mahalanobis": mahalanobis(x, x_mean, x_log_var, roi),
            "log_variance": log_variance(x_log_var, roi),
            "kl": kl(z_mean, z_log_var),
        }

    def train_step(self, data: tf.Tensor | tuple[tf.Tensor, Share]) -> dict[str, tf.Tensor]:
        """One step on a batch of images, or a share of one; returns the logs of the epoch so far.

        Raises:
            ValueError: If batches are whole, and there are several workers.
        """
        x, share = (data[0], Share(*data[1])) if isinstance(data, tuple) else (data, None)
        if share is None:
            _check_strategy(tf.distribute.get_strategy())
        with tf.GradientTape() as tape:
            terms = self.compute_terms(x, training=True, share=share)
            means = _means(terms) if share is None else means_of_all(terms, share)
            loss = self._loss(means)
            # Gradients are added up over the replicas, and lifted where float16 would lose them.
            scaled = self.optimizer.scale_loss(loss / num_replicas())
        gradients = tape.gradient(scaled, self.trainable_variables)
        if share is not None and isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            gradients = all_or_none(gradients)
        self.optimizer.apply(gradients, self.trainable_variables)
        if share is None:
            return self._update_logs(loss, terms)
        return self._update_logs(loss, means, share.size)

    def test_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same loss and terms on a batch of images, without a step."""
        terms = self.compute_terms(data, training=False)
        return self._update_logs(self._weighted_sum(_means(terms)), terms)

    def _noise(self, z_mean: tf.Tensor, share: Share | None) -> tf.Tensor:
        """ε (N, Z): of a share, its part of what the whole batch gets of one replica."""
        shape = ops.shape(z_mean)
        size = shape[0] if share is None else share.size
        noise = keras.random.normal((size, shape[1]), dtype="float32", seed=self.seed_generator)
        return noise if share is None else noise[share.start : share.start + shape[0]]

    def _loss(self, means: Mapping[str, tf.Tensor]) -> tf.Tensor:
        if self.balancing is None:
            return self._weighted_sum(means)
        loss, weights = self.balancing(means)
        for term, weight in weights.items():
            self.term_weights[term].assign(ops.stop_gradient(weight))
        return loss

    def _weighted_sum(self, means: Mapping[str, tf.Tensor]) -> tf.Tensor:
        # Eqs. (9) to (12)
        return sum(self.term_weights[term] * mean for term, mean in means.items())

    def _update_logs(
        self,
        loss: tf.Tensor,
        terms: Mapping[str, tf.Tensor],
        batch_size: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """Takes terms of each sample (N,), or means () of a batch, into the figures of the epoch.

        These are means over its images, so that batches are weighted by their sizes.
        """
        size = ops.shape(next(iter(terms.values())))[0] if batch_size is None else batch_size
        self.loss_metric.update_state(loss, sample_weight=size)
        for term, value in terms.items():
            self.term_metrics[term].update_state(value, sample_weight=batch_size)
        return (
            {"loss": self.loss_metric.result()}
            | {term: metric.result() for term, metric in self.term_metrics.items()}
            | {f"weight_{term}": ops.copy(weight) for term, weight in self.term_weights.items()}
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for saving."""
        return super().get_config() | {
            "shape": self.shape,
            "latent_dim": self.latent_dim,
            "likelihood": self.likelihood,
            "seed": self.seed,
            "sample_latent": self.sample_latent,
            "variance": self.variance,
            "input_kind": self.input_kind,
            "balancing": keras.saving.serialize_keras_object(self.balancing),
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The model of a configuration; 0.1.0 said `samples`, and `image_size` for `shape`."""
        config = dict(config)
        for before, name in (("samples", "sample_latent"), ("image_size", "shape")):
            if before in config:
                config[name] = config.pop(before)
        if config.get("balancing"):
            config["balancing"] = keras.saving.deserialize_keras_object(config["balancing"])
        return cls(**config)


def _means(terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Terms of each sample (N,) to their means ()."""
    return {term: ops.mean(value) for term, value in terms.items()}


def _mean_of_all(values: tf.Tensor, roi: tf.Tensor | None, share: Share | None) -> tf.Tensor:
    """The mean of values (N, H, W, C), inside a region, of the whole batch."""
    if share is None and roi is None:
        return ops.mean(values)
    inside = ops.ones_like(values) if roi is None else ops.broadcast_to(roi, ops.shape(values))
    sums = {"values": ops.sum(values * inside), "inside": ops.sum(inside)}
    if share is not None:
        sums = sum_of_all({name: share.counts * value for name, value in sums.items()})
    return sums["values"] / sums["inside"]


def _check_strategy(strategy: tf.distribute.Strategy) -> None:
    """Keras fails among several workers (https://github.com/keras-team/keras/issues/20585)."""
    resolver = strategy.cluster_resolver
    num_workers = 1
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and resolver:
        num_workers = resolver.cluster_spec().num_tasks("worker")
    if num_workers > 1:
        raise ValueError(
            "Expected shares of batches, as awl_vae.training.loop hands them out, or a strategy of "
            f"one worker. Received: whole batches, and {num_workers} workers"
        )
