"""The weights that the AUC-adapted VAE switches between, and those that the search lets fall."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

DISABLED = 1e-10
"""Weight of a disabled term. Paper: 0 in the tables, 10⁻¹⁰ in Sect. 4.1.2. Here: 10⁻¹⁰."""

TERMS = MappingProxyType(
    {
        "bernoulli": ("bce", "kl"),
        "gaussian": ("mahalanobis", "log_variance", "kl"),
    }
)
"""The names of the loss terms of each likelihood, in the order of Eqs. (11) and (12)."""

VARIANCES = ("learned", "optimal")
"""Of the gaussian likelihood: σ² of each pixel, from the decoder, or one for all (σ-VAE)."""


def _subsets(terms: Sequence[str], max_size: int) -> list[tuple[str, ...]]:
    return [
        subset for size in range(max_size + 1) for subset in itertools.combinations(terms, size)
    ]


def _table(likelihood: str, rows: Iterable[Sequence[int]]) -> tuple[Mapping[str, float], ...]:
    return tuple(
        MappingProxyType(
            {term: 1.0 if on else DISABLED for term, on in zip(TERMS[likelihood], row, strict=True)}
        )
        for row in rows
    )


PATTERNS = MappingProxyType(
    {
        # Table 1: (α, β) = (bce, kl)
        "bernoulli": _table("bernoulli", [(1, 1), (1, 0), (0, 1)]),
        # Table 2: (w_M, w_A, w_D) = (mahalanobis, log_variance, kl)
        "gaussian": _table(
            "gaussian",
            [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)],
        ),
    }
)
"""For each likelihood the patterns I, II, III, … as mappings from a term to its weight."""

LADDER = (1.0, 0.3, 0.1, 0.03, 0.01, DISABLED)
"""Weights of the KL divergence: by factors of about three down to a hundredth, and then nothing."""


def with_weights(likelihood: str, **weights: float) -> Mapping[str, float]:
    """The pattern with these weights by term, and weight 1 of the other terms."""
    return MappingProxyType(dict.fromkeys(TERMS[likelihood], 1.0) | weights)


def _ladder(top: float) -> Mapping[str, tuple[Mapping[str, float], ...]]:
    """By likelihood the rungs from a weight on."""
    rungs = LADDER[LADDER.index(top) :]
    return MappingProxyType(
        {
            likelihood: tuple(with_weights(likelihood, kl=weight) for weight in rungs)
            for likelihood in TERMS
        }
    )


PATTERN_SETS = MappingProxyType(
    {
        "paper": PATTERNS,
        **{f"ladder{'' if top == 1 else f'_{top:g}'}": _ladder(top) for top in (1.0, 0.3, 0.1)},
    }
)
"""By name, for each likelihood, the patterns that a rule chooses from."""

BRANCHES = MappingProxyType(
    {
        # Table 3
        "bernoulli": MappingProxyType({"none": (), "kl": ("kl",), "bce": ("bce",)}),
        # Paper: "similar" for three terms. Here: each term and each pair; all three together would
        # only rescale the loss.
        "gaussian": MappingProxyType(
            {"+".join(terms) or "none": terms for terms in _subsets(TERMS["gaussian"], 2)}
        ),
    }
)
"""For each likelihood the branches of the search: by name, the terms whose weights fall.

A tie between branches goes to the first in this order.
"""
