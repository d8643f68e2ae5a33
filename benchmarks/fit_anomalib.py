"""One side: the same with anomalib, in an environment of its own.

Arguments: the folder that holds train/good, the folder of the others, the method ("padim" or
"patchcore"), the network, and maybe "random", with which PatchCore draws its coreset at random: as
many vectors as ever, in no time, so that inspection can be measured without their greedy
choice. The network's weights are random, which makes no difference to the time. Images are 256 x
256, and all else is as anomalib has it, but for pictures and logs, which are left out.
"""

import json
import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch
from measure import NUM_THREADS, seconds_an_image


def main(folder, others, method, backbone, coreset="greedy"):
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(NUM_THREADS)
    from anomalib.data import Folder, PredictDataset
    from anomalib.engine import Engine
    from anomalib.models import Padim, Patchcore
    from anomalib.models.components.sampling import KCenterGreedy

    if coreset == "random":
        KCenterGreedy.select_coreset_idxs = lambda self: torch.randperm(self.n_observations)[
            : self.coreset_size
        ]
    settings = {"backbone": backbone, "pre_trained": False, "visualizer": False}
    model = {"padim": Padim, "patchcore": Patchcore}[method](**settings, evaluator=False)
    data = Folder(
        name="folder",
        root=folder,
        normal_dir="train/good",
        test_split_mode="none",
        val_split_mode="none",
        num_workers=NUM_THREADS,
    )
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine(
            accelerator="cpu",
            default_root_dir=directory,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
            logger=False,
        )
        start = time.perf_counter()
        engine.fit(model=model, datamodule=data)
        seconds = time.perf_counter() - start

    model.eval()
    paths = sorted(Path(others).iterdir())
    dataset = {path: PredictDataset(path=path, image_size=(256, 256)) for path in paths}

    @torch.inference_mode()
    def inspect(some):
        batch = [dataset[path][0] for path in (some if isinstance(some, list) else [some])]
        model(torch.stack([item.image for item in batch]))

    one, many = (seconds_an_image(inspect, paths, batch_size) for batch_size in (1, 32))
    print(json.dumps({"fit": seconds, "one": one, "many": many}))


if __name__ == "__main__":
    main(*sys.argv[1:])
