"""Worker: an epoch of alibi-detect's OutlierVAE with the same encoder and decoder, in its own way.

It runs in an environment of its own, with an older TensorFlow. Arguments: see `bench_training`.
"""

import sys
import time

import numpy as np
import tensorflow as tf
from alibi_detect.od import OutlierVAE
from measure import NUM_THREADS, serve


def main(image_size, latent_dim, batch_size, num_images, filters, smallest_side):
    tf.config.threading.set_intra_op_parallelism_threads(NUM_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NUM_THREADS)
    layers = tf.keras.layers
    size, latent_dim = int(image_size), int(latent_dim)
    smallest_side, filters = int(smallest_side), [int(f) for f in filters.split(",")]
    settings = {"strides": 2, "padding": "same"}
    encoder = tf.keras.Sequential(
        [tf.keras.Input((size, size, 1))]
        + [layers.Conv2D(f, 4, activation="relu", **settings) for f in filters]
    )
    flat = smallest_side**2 * filters[-1]
    decoder = tf.keras.Sequential(
        [
            tf.keras.Input((latent_dim,)),
            layers.Dense(flat, activation="relu"),
            layers.Reshape((smallest_side, smallest_side, filters[-1])),
            *(layers.Conv2DTranspose(f, 4, activation="relu", **settings) for f in filters[-2::-1]),
            layers.Conv2DTranspose(1, 4, activation="sigmoid", **settings),
        ]
    )
    detector = OutlierVAE(
        encoder_net=encoder, decoder_net=decoder, latent_dim=latent_dim, samples=1
    )
    images = np.random.RandomState(0).uniform(size=(int(num_images), size, size, 1))
    images = images.astype(np.float32)
    optimizer = tf.keras.optimizers.Adam(1e-4)

    def work():
        start = time.perf_counter()
        detector.fit(
            images, epochs=1, batch_size=int(batch_size), optimizer=optimizer, verbose=False
        )
        return time.perf_counter() - start

    serve(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
