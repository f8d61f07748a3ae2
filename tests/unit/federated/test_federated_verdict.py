"""What a study says in a sentence, for every way in which sites can come out."""

from __future__ import annotations

import pytest

from core.evaluation import Estimate
from core.federated import SiteEvidence
from core.federated.evidence.site_evidence import verdict


def _site(name: str, gain: Estimate | None, distance: Estimate | None = None) -> SiteEvidence:
    return SiteEvidence(name, 100, 30, {}, gain, distance)


BETTER, WORSE, OPEN = (Estimate(value, value - 0.05, value + 0.05, 30) for value in (0.1, -0.1, 0.01))


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([BETTER, BETTER], "the shared one is better at all 2 sites."),
        ([BETTER, OPEN, OPEN], "is better at 1 of 3 sites (a), and shows no clear difference at 2 of 3 sites."),
        ([OPEN, OPEN], "the shared one shows no clear difference at all 2 sites."),
        ([BETTER, WORSE], "is better at 1 of 2 sites (a) and worse at 1 of 2 sites (b)."),
        ([WORSE, OPEN, None], "shows no clear difference at 1 of 3 sites. 1 of 3 sites could not be compared."),
        ([BETTER, WORSE, OPEN], "is better at 1 of 3 sites (a), worse at 1 of 3 sites (b), and shows no clear"),
    ],
)
def test_a_verdict_counts_the_sites(gains: list[Estimate | None], expected: str) -> None:
    sites = [_site(name, gain) for name, gain in zip("abc", gains, strict=False)]
    assert expected in verdict(sites, None, "ROC AUC")


def test_a_verdict_says_how_far_pooled_training_is() -> None:
    sites = [_site("a", BETTER)]
    assert "no clear difference from it" in verdict(sites, _site("", None, OPEN), "ROC AUC")
    assert "It is 0.1 worse than training on all rows" in verdict(sites, _site("", None, WORSE), "ROC AUC")
    assert "No site could compare" in verdict([_site("a", None)], None, "ROC AUC")
