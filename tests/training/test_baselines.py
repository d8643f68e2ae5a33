import commands
import cv2
import keras
import numpy as np
import pytest
from conftest import make_folder, read_json
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from awl_vae import train
from awl_vae.system import read_csv
from awl_vae.training.baselines import linear_model


def test_the_keras_model_is_the_projection():
    x = np.random.RandomState(0).normal(size=(40, 4, 6, 1)).astype(np.float32)
    pca = PCA(3).fit(x.reshape(40, -1))
    model = linear_model((4, 6, 1), pca.mean_, pca.components_)
    expected = pca.inverse_transform(pca.transform(x.reshape(40, -1)))
    np.testing.assert_allclose(model(x).numpy().reshape(40, -1), expected, atol=1e-5)
    mean = linear_model((4, 6, 1), pca.mean_, pca.components_[:0])
    np.testing.assert_allclose(mean(x)[7, ..., 0], pca.mean_.reshape(4, 6), atol=1e-6)


def test_the_command(image_folder, tmp_path):
    run = tmp_path / "run"
    flags = ["--dataset=folder", f"--data_dir={image_folder}", "--image_size=16", "--latent_dim=4"]
    command = commands.run("run_baselines.py", *flags, f"--run_dir={run}")
    assert "tensorboard" not in command.stdout
    assert "pca seed 1, evaluation\n" in command.stderr
    assert "retracing" not in command.stderr
    assert "Expected false alarms" in command.stdout
    summary = read_json(run / "summary.json")
    assert list(summary["methods"]) == ["mean_image", "pca"]
    for method, outcome in summary["methods"].items():
        (entry,) = outcome["per_seed"]
        assert 0 <= entry["test_auc"] <= 1
        directory = run / method / "seed-1"
        model = keras.saving.load_model(directory / "model.keras")
        assert model.output_shape == (None, 16, 16, 1)
        assert (directory / "figures/roc.png").exists()
        assert (directory / "detector/detector.json").exists()
        rows = read_csv(directory / "all_scores.csv")
        normal = [float(row["mse"]) for row in rows if row["split"] == "calibration"]
        for kind, auc in entry["synthetic_auc_by_kind"].items():
            names = [row for row in rows if row["image"].endswith(f"_{kind}.png")]
            damaged = [float(row["mse"]) for row in names]
            labels = [0] * len(normal) + [1] * len(damaged)
            assert len(damaged) == 20
            assert auc == pytest.approx(roc_auc_score(labels, normal + damaged))


@pytest.mark.slow
def test_a_mask_that_marks_nothing_is_told_and_counts_as_none(tmp_path, capsys):
    folder = make_folder(tmp_path / "photographs")
    for index in range(5):
        path = folder / f"ground_truth/spot/{index:03d}_mask.png"
        cv2.imwrite(str(path), np.zeros((20 + index % 3, 24), np.uint8))
    train(folder, run_dir=tmp_path / "run", experiment="baselines", image_size=16, latent_dim=4)
    printed = capsys.readouterr().out
    assert "Warning: empty masks: 5 images (first: test/spot/" in printed
    assert "a mask that marks nothing counts as none" in printed
    assert read_json(tmp_path / "run/pca/seed-1/result.json")["pixel_auc"] is None
