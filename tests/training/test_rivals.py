"""Rivals that set the weights with every batch, in a run."""

import commands
import numpy as np
import pytest
from conftest import make_folder, read_csv, read_json, tiny

from awl_vae.detection import Detector

METHODS = ("geco", "control_vae", "uncertainty")


@pytest.mark.slow
def test_a_run_of_all_of_them(tmp_path):
    folder, run = make_folder(tmp_path / "photographs"), tmp_path / "run"
    flags = tiny(folder, run, f"--methods={','.join(METHODS)}", "--adapt_signal=synthetic")
    flags = [flag for flag in flags if not flag.startswith("--f_update")]
    command = commands.run("run_auc_adapted.py", *flags, "--kl_target=3", "--seeds=1")
    assert "control_vae seed 1: the kl_target is 3 nats." in command.stderr
    assert "geco seed 1: the tolerance is " in command.stderr
    entries = {
        name: found["per_seed"][0]
        for name, found in read_json(run / "summary.json")["methods"].items()
    }
    assert entries["control_vae"]["kl_target"] == 3
    assert entries["geco"]["tolerance"] > 0
    for method in METHODS:
        directory = run / method / "seed-1"
        rows = read_csv(directory / "history.csv")
        assert {row["pattern"] for row in rows} == {""}
        weights = {(row["weight_bce"], row["weight_kl"]) for row in rows}
        assert len(weights) == len(rows)
        image = np.zeros((16, 16), np.uint8)
        assert np.isfinite(Detector.load(directory / "detector").score([image])).all()
