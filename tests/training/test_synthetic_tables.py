"""What `summary.md` says of synthetic defects."""

from itertools import zip_longest

import pytest

from awl_vae.training.synthetic_tables import synthetic_lines


def text_of(*aucs, signal="labels", has_labels=True, method="pca", empty=(), test_auc=None):
    rows = [
        {
            "seed": seed,
            "is_empty": is_empty,
            "by_score": {
                "mse": {"synthetic_auc": by_mse, "auc": None, "test_auc": test_auc},
                "standardized": {"synthetic_auc": by_other, "auc": None, "test_auc": None},
            },
            "synthetic_auc_by_kind": {"blur": by_mse, "warp": by_other},
        }
        for seed, ((by_mse, by_other), is_empty) in enumerate(zip_longest(aucs, empty), 1)
    ]
    failed = {"failed": {"epoch": 1, "term": "kl"}}
    methods = {method: {"per_seed": rows}, "mean_image": {"per_seed": [failed]}}
    summary = {"score": "mse", "adapt_signal": signal, "methods": methods}
    return "\n".join(synthetic_lines(summary, has_labels=has_labels))


def test_means_over_the_seeds_by_score_and_by_kind():
    text = text_of((0.7, 0.7), (0.8, 0.7))
    assert "| method | score | synthetic defects |\n" in text
    assert "| PCA | mse | 75.00 |\n| PCA | standardized | 70.00 |" in text
    assert "| method | blur | warp |\n|---|---|---|\n| PCA | 75.00 | 70.00 |" in text
    assert "Mean image" not in text


def test_a_better_score_is_named():
    text = text_of((0.55, 0.8), (0.57, 0.9))
    assert (
        "Warning: PCA finds synthetic defects with an AUC of 56.00 % by the score mse, where 50 is "
        "chance, and of 85.00 % by standardized: try --score=standardized."
    ) in text


def test_where_no_score_is_better_it_is_the_training():
    text = text_of((0.55, 0.59))
    assert "by the score mse, where 50 is chance. Look at the reconstructions;" in text
    assert "a VAE may do better" in text
    assert "or `awl-vae baselines` may" in text_of((0.55, 0.59), method="conventional")


def test_a_detector_worse_than_chance_is_told():
    text = text_of((0.3, 0.3), test_auc=0.25)
    assert "30.00 % by the score mse, where 50 is chance: it takes normal images for anom" in text
    assert "Warning: PCA has an AUC of 25.00 % on the test images, where 50 is chance" in text
    assert "Warning" not in text_of((0.7, 0.7), test_auc=0.45)


@pytest.mark.parametrize(
    ("signal", "has_labels", "is_told"),
    [("labels", True, False), ("synthetic", True, True), ("labels", False, True)],
)
def test_without_labels_a_clearly_better_score_is_always_told(signal, has_labels, is_told):
    text = text_of((0.7, 0.8), signal=signal, has_labels=has_labels)
    assert ("try --score=standardized" in text) == is_told
    assert "Warning" not in text_of((0.7, 0.74), signal=signal, has_labels=has_labels)


@pytest.mark.parametrize(
    ("method", "advice"),
    [
        ("conventional", "`awl-vae auc-adapted --methods=beta_vae --kl_weight=0.1`"),
        ("auc_adapted", "`--rule=climb --patterns=ladder_0.1`"),
        ("beta_vae", "a lower --kl_weight"),
        ("loss_adapted", "`awl-vae auc-adapted --methods=beta_vae --kl_weight=0.1`"),
    ],
)
def test_an_empty_model_is_called_so_and_no_score_is_advised(method, advice):
    text = text_of((0.5, 0.9), (0.5, 0.9), (0.5, 0.9), method=method, empty=(True, False, True))
    assert "is empty with seed 1, 3: it reconstructs every image alike" in text
    assert f"What may help: {advice}." in text
    assert "try --score" not in text
    assert "empty" not in text_of((0.5, 0.9), (0.6, 0.9), method=method, empty=(False, False))
