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
            not divisible by 16, features are not gaussian, or a strategy of several workers is in
            force.
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
        _check_strategy(tf.distribute.get_strategy())
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

    def compute_terms(self, x: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """The unweighted loss terms of each sample, with a sampled z where the model samples.

        Args:
            x: float32 tensor (N, H, W, C), images in [0, 1] or maps; with a region of interest
                (N, H, W, C + 1).
            training: whether layers behave as in training.

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
            noise = keras.random.normal(
                ops.shape(z_mean), dtype="float32", seed=self.seed_generator
            )
            z += ops.exp(0.5 * clip_log_variance(z_log_var)) * noise
        output = self.decoder(z, training=training)
        if self.likelihood == "bernoulli":
            return {"bce": bce(x, output, roi), "kl": kl(z_mean, z_log_var)}
        x_mean, x_log_var = ops.split(output, 2, axis=-1)
        if self.variance == "optimal":
            squares = ops.square(x - x_mean)
            optimal = ops.log(
                ops.mean(squares)
                if roi is None
                else ops.sum(squares * roi) / (channels * ops.sum(roi))
            )
            x_log_var = ops.full_like(x_log_var, ops.stop_gradient(optimal))
        return {
            "mahalanobis": mahalanobis(x, x_mean, x_log_var, roi),
            "log_variance": log_variance(x_log_var, roi),
            "kl": kl(z_mean, z_log_var),
        }

    def train_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """One step on a batch of images; returns the logs of the epoch so far."""
        with tf.GradientTape() as tape:
            terms = self.compute_terms(data, training=True)
            loss = self._loss(terms)
            # Gradients are added up over the devices, and lifted where float16 would lose them.
            share = loss / tf.distribute.get_strategy().num_replicas_in_sync
            scaled = self.optimizer.scale_loss(share)
        gradients = tape.gradient(scaled, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._update_logs(loss, terms)

    def test_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same loss and terms on a batch of images, without a step."""
        terms = self.compute_terms(data, training=False)
        return self._update_logs(self._weighted_sum(terms), terms)

    def _loss(self, terms: Mapping[str, tf.Tensor]) -> tf.Tensor:
        if self.balancing is None:
            return self._weighted_sum(terms)
        loss, weights = self.balancing({term: ops.mean(value) for term, value in terms.items()})
        for term, weight in weights.items():
            self.term_weights[term].assign(ops.stop_gradient(weight))
        return loss

    def _weighted_sum(self, terms: Mapping[str, tf.Tensor]) -> tf.Tensor:
        # Eqs. (9) to (12); each term (N,) -> ()
        return sum(self.term_weights[term] * ops.mean(value) for term, value in terms.items())

    def _update_logs(self, loss: tf.Tensor, terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        # Weighted by the batch size, so that an epoch's figures are means over its images.
        batch_size = ops.shape(next(iter(terms.values())))[0]
        self.loss_metric.update_state(loss, sample_weight=batch_size)
        for term, value in terms.items():
            self.term_metrics[term].update_state(value)
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


def _check_strategy(strategy: tf.distribute.Strategy) -> None:
    """Keras fails among several workers (https://github.com/keras-team/keras/issues/20585)."""
    resolver = strategy.cluster_resolver
    num_workers = 1
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and resolver:
        num_workers = resolver.cluster_spec().num_tasks("worker")
    if num_workers > 1:
        raise ValueError(
            "Expected a strategy of one worker, such as MirroredStrategy. "
            f"Received: MultiWorkerMirroredStrategy of {num_workers}"
        )
