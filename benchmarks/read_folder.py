"""Worker: seconds to read and prepare a folder's images. Arguments: a checkout, the folder.

The checkout is this one, or one of 0.1.0.
"""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from measure import NUM_THREADS, serve

import awl_vae.system.quiet_tensorflow  # noqa: F401 (is there in every training)

SIZE = (64, 64)


def main(checkout, data_dir):
    is_package = (Path(checkout) / "awl_vae").is_dir()
    if is_package:
        from awl_vae.data.cache import ImageCache
        from awl_vae.data.folder import folder
    else:
        sys.path.insert(0, checkout)
        from data.cache import ImageCache
        from data.folder import folder
    settings = {"num_train": None, "protocol": "heldout", "resize": "stretch"}
    with tempfile.TemporaryDirectory() as directory:
        images = partial(folder, data_dir, SIZE, needs_labels=False, **settings)
        serve(lambda: _seconds(ImageCache, images, Path(directory) / "images.npy"))


def _seconds(cache, images, path):
    start = time.perf_counter()
    cache.build(path, [item for _, item in images().items()], num_threads=NUM_THREADS)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
