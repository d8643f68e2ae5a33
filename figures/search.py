"""The paper's figures of the loss-adapted search (Figs. 8 and 20 to 24).

Each function writes one PNG file whole.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from awl_vae.figures.canvas import WEIGHT_LINES, limit_weights, save_figure

OTHER_COLORS = (
    "gray",
    "tab:orange",
    "tab:green",
    "tab:purple",
    "tab:brown",
    "tab:pink",
    "tab:olive",
    "tab:cyan",
)


@dataclass(frozen=True)
class Curve:
    """A number over epochs.

    Attributes:
        epochs: (N,).
        values: (N,); what is not finite is left out of a plot.
    """

    epochs: Sequence[int]
    values: Sequence[float]


def plot_losses(
    path: Path, curves: Mapping[str, Curve], *, conventional: str, chosen: str | None, title: str
) -> None:
    """Losses of a stage's branches: the conventional in blue, the chosen in red (Figs. 20 to 22).

    The plot shows the conventional and the chosen loss whole; others may leave it.

    Args:
        path: the PNG file.
        curves: by branch, the loss with all weights at 1, in nats.
        conventional: the name of the conventional one, which may not be among them.
        chosen: the name of the chosen one, or None where none could be.
        title: which stage of which run.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    values = [
        value for name in set(curves) & {conventional, chosen} for value in curves[name].values
    ]
    shown = np.array(values)[np.isfinite(values)]
    top = shown.max() + 0.4 * np.ptp(shown) if len(shown) and np.ptp(shown) else np.inf
    for (name, curve), color in zip(curves.items(), itertools.cycle(OTHER_COLORS), strict=False):
        note = ", leaves the plot" if np.nanmax([-np.inf, *curve.values]) > top else ""
        if name == conventional:
            style = "-" if len(curve.epochs) > 1 else "o"  # a line needs two points
            axes.plot(
                curve.epochs,
                curve.values,
                style,
                color="tab:blue",
                linewidth=4,
                label="conventional",
            )
        if name == chosen:
            axes.plot(curve.epochs, curve.values, ".-", color="tab:red", label=f"{name}, chosen")
        elif name != conventional:
            axes.plot(curve.epochs, curve.values, ".-", color=color, linewidth=1, label=name + note)
    axes.set(xlabel="epoch", ylabel="loss, all weights at 1 (nats)", title=title)
    axes.ticklabel_format(axis="y", useOffset=False)
    if np.isfinite(top):
        axes.set_ylim(top=top)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    save_figure(figure, path)


def plot_weights(
    path: Path, weights: Mapping[str, Curve], *, stage_starts: Sequence[int], title: str
) -> None:
    """The weights of the terms over epochs (Figs. 23, 24).

    Args:
        path: the PNG file.
        weights: by term, its weight as used in each epoch.
        stage_starts: epochs after which a stage begins, marked by a line.
        title: which branch of which run.
    """
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    for (term, curve), (color, line) in zip(weights.items(), WEIGHT_LINES, strict=False):
        label = f"{term}, ends at {curve.values[-1]:.3g}"
        axes.step(curve.epochs, curve.values, line, where="mid", color=color, label=label)
    for epoch in stage_starts:
        axes.axvline(epoch + 0.5, color="gray", linewidth=0.8, linestyle=":")
    axes.set(xlabel="epoch", ylabel="weight", title=title)
    limit_weights(axes, itertools.chain(*(curve.values for curve in weights.values())))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    save_figure(figure, path)


@dataclass(frozen=True)
class MovingTerm:
    """A weight that moves, beside what stops it.

    Attributes:
        name: the term.
        watched: what stops its weight: the term itself, or the sum of all.
        values: of that, in nats, from the epoch before the stage on.
        weight: its weight as used in each epoch of the stage.
        stopped: the epoch in which that rose, and the weight stopped; None where it never did.
    """

    name: str
    watched: str
    values: Curve
    weight: Curve
    stopped: int | None


def plot_moving_terms(path: Path, terms: Sequence[MovingTerm], *, title: str) -> None:
    """Each term whose weight moves, above the weight, which stops where the term rises (Fig. 8).

    Args:
        path: the PNG file.
        terms: those of one branch.
        title: which branch of which run.
    """
    figure = Figure(figsize=(max(5.0, 4.2 * len(terms)), 4.4), layout="constrained")
    figure.suptitle(title)
    columns = figure.subplots(2, len(terms), squeeze=False, sharex="col").T
    for (upper, lower), moving in zip(columns, terms, strict=True):
        upper.plot(moving.values.epochs, moving.values.values, "o-", color="tab:blue", markersize=3)
        upper.set(ylabel=f"{moving.watched} (nats)")
        lower.plot(moving.weight.epochs, moving.weight.values, "s-", color="black", markersize=3)
        lower.set(xlabel="epoch", ylabel=f"weight of {moving.name}")
        limit_weights(lower, moving.weight.values)
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        stop = "never stopped the weight"
        if moving.stopped is not None:
            stop = f"stopped the weight in epoch {moving.stopped}"
            for axes in (upper, lower):
                axes.axvline(moving.stopped, color="tab:red", linewidth=1, linestyle="--")
        upper.set_title(f"{moving.watched} {stop}", fontsize=9)
    save_figure(figure, path)
