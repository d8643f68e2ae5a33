"""Worker: an epoch of ours, from the image cache through `fit`. Arguments: see `bench_training`."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import NUM_THREADS, serve

import awl_vae.system.quiet_tensorflow  # noqa: F401


def main(image_size, likelihood, latent_dim, dtype, batch_size, num_images, source):
    import keras

    from awl_vae.data import ImageCache, TrainingBatches
    from awl_vae.models import VAE
    from awl_vae.training.runtime import set_up

    set_up(NUM_THREADS)
    keras.utils.set_random_seed(1)
    size, batch_size, num_images = int(image_size), int(batch_size), int(num_images)
    images = np.random.RandomState(0).randint(0, 256, (num_images, size, size)).astype(np.uint8)
    model = VAE((size, size), latent_dim=int(latent_dim), likelihood=likelihood, dtype=dtype)
    model.compile(optimizer=keras.optimizers.Adam(1e-4))

    def work():
        start = time.perf_counter()
        model.fit(dataset, epochs=1, shuffle=False, verbose=0)
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "cache.npy"
        np.save(path, images)
        cache = ImageCache(path)
        batches = TrainingBatches(cache, np.arange(num_images), batch_size=batch_size, seed=1)
        dataset = batches.dataset
        if source == "batch":
            dataset = dataset.take(1).cache().repeat(batches.steps_per_epoch)
        serve(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
