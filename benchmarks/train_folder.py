"""Reads a folder and trains one epoch on it, as the experiments do; see `bench_memory`."""

import sys
from pathlib import Path

from measure import NUM_THREADS

import awl_vae.system.quiet_tensorflow  # noqa: F401


def main(folder, cache, image_size):
    import keras

    from awl_vae.data import TrainingBatches, load_dataset, prepare
    from awl_vae.models import VAE
    from awl_vae.training.runtime import set_up

    set_up(NUM_THREADS)
    keras.utils.set_random_seed(1)
    size = (int(image_size), int(image_size))
    dataset = load_dataset(
        "folder", size, num_train=None, protocol="heldout", data_dir=folder, needs_labels=False
    )
    manifest = Path(cache).with_suffix(".json")
    manifest.unlink(missing_ok=True)
    data = prepare(dataset, cache_path=Path(cache), manifest_path=manifest, num_threads=NUM_THREADS)
    batches = TrainingBatches(data.cache, data.positions["train"], batch_size=32, seed=1)
    model = VAE(size, latent_dim=100, dtype="mixed_bfloat16")
    model.compile(optimizer=keras.optimizers.Adam(1e-4))
    model.fit(batches.dataset, epochs=1, shuffle=False, verbose=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
