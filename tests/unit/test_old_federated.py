"""A federated study that earlier code made: its page draws, its card names the sites, its model scores as before.

``tests/data/make_old_federated.py`` makes such an installation.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import models
from core.access import LOCAL
from tests.pages.conftest import texts, visit

DATA = Path(__file__).parents[1] / "data"
HOMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("federated-*.tar.xz"))


@pytest.fixture(scope="module", params=HOMES)
def old(
    request: pytest.FixtureRequest, installation: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Unpack one of the installations and use it."""
    folder = tmp_path_factory.mktemp("federated")
    with tarfile.open(DATA / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    with installation(folder / "home"):
        yield json.loads((folder / "home" / "expected.json").read_text(encoding="utf-8"))


def test_its_page_draws(old: dict[str, Any]) -> None:
    for tab in ("Sites", "Messages", "Privacy", "Checks"):
        page = visit("federated", run=old["run"], tab=tab)
        assert not page.exception
        assert not page.error
        assert old["verdict"] in texts(page)


def test_its_card_and_its_scores_are_as_before(old: dict[str, Any]) -> None:
    version = models.resolve(old["model"], access=LOCAL)
    card = models.card(version.id, access=LOCAL).to_markdown()
    assert all(site in card for site in old["sites"])
    scored = models.score(version.id, pd.DataFrame(old["rows"]), access=LOCAL)
    assert scored["p(yes)"].tolist() == pytest.approx(old["scores"], abs=1e-6)
