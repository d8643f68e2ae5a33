"""Histograms of scores that are nearly alike, and far from the threshold."""

import re
import time

import numpy as np
import pytest

from awl_vae.figures.curves import _edges, histogram_svg, plot_histogram

SCORES = {
    "nearly alike": np.float32(4.39e-5) + np.arange(5) * np.float32(4e-12),
    "alike": np.full(5, 0.25),
    "one": np.array([0.3]),
    "apart": np.array([1e-30, 1.0, 1e30]),
    "large and alike": 1e9 + np.arange(5.0),
}


@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("threshold", [0.0142, 0.25, -1e12, 1e30])
def test_a_histogram_takes_a_moment_whatever_the_scores(tmp_path, scores, threshold):
    begin = time.process_time()
    svg = histogram_svg(scores, np.empty(0), threshold=threshold, score="mse")
    assert time.process_time() - begin < 5
    assert len(svg) < 200_000
    assert f"normal ({len(scores)})" in svg
    labels = np.arange(len(scores)) % 2
    plot_histogram(
        tmp_path / "a.png", labels=labels, scores=scores, threshold=threshold, score="mse", title=""
    )
    assert (tmp_path / "a.png").exists()


def test_one_edge_is_the_threshold():
    svg = histogram_svg(np.array([0.1, 0.2]), np.array([0.4]), threshold=0.3, score="mse")
    assert re.search(r"threshold 0\.3", svg)


@pytest.mark.parametrize("scores", [[0.01, 0.4], [0.0, 0.4], [0.0, 0.0], [1e-9, 3e-9]])
@pytest.mark.parametrize("threshold", [0.3, 0.1 + 0.2, 0.7, 1e-9])
def test_no_bin_begins_below_0_where_no_score_does(scores, threshold):
    edges = _edges(np.array(scores), threshold)
    assert 0.0 <= edges[0] <= min(scores)
    assert max(scores) < edges[-1]
    assert np.all(np.diff(edges) > 0)
    assert np.isclose(edges, threshold, rtol=1e-12, atol=0).any()
    below = _edges(np.array([-0.5, *scores]), threshold)
    assert below[0] <= -0.5
