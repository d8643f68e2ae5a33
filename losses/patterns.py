"""The weights that the AUC-adapted VAE switches between (the paper's Tables 1 and 2)."""

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


def _table(likelihood, rows):
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
