"""A detector of your own photographs, from training to verdicts.

    python examples/own_photographs.py photographs new.png

`photographs` has normal images in train/good and, where you have labels, images in test/good and in
test/<defect>. Started again after a cut, it goes on where it was.
"""

import sys

from awl_vae import train

folder, image, *more = sys.argv[1:]
epochs = int(more[0]) if more else 100

# 1. Train. Synthetic defects steer it, so that no label is needed; the files are in run_dir.
detector = train(
    folder,
    run_dir="runs/own_photographs",
    methods="auc_adapted",
    adapt_signal="synthetic",
    rule="climb",
    patterns="ladder",
    score="standardized",
    epochs=epochs,
)

# 2. What to expect of its threshold.
alarms = detector.threshold.false_alarms
print(f"Normal images that are called anomalous: {alarms.low:.1%} to {alarms.high:.1%}")

# 3. Inspect an image.
finding = detector.inspect(image)
print(f"{image}: {finding.verdict} {finding.error or f'{finding.score:.4g}'}")
