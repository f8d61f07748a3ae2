"""Tables, columns, labels, models and policies with hostile names, from an import to every view, in a browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from core import jobs, models, policies
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Dataset, RunState, datasets, runs
from core.fairness import ThresholdPolicy
from core.tasks import automl, check, ingest, score
from tests.browser.conftest import Server, settled, start_server, stop_server

LINK, BOLD, RED = "http://evil.example/zqxlink", "**zqxbold**", ":red[zqxred]"
TARGET, YES, NO = "www.evil.example", "https://evil.example/zqxyes", "**zqxno**"
GROUP, FIRST, SECOND = "[zqxclick](https://evil.example)", "<b>zqxhtml</b>", "`zqxcode`"
ICON, IMAGE = ":material/skull:", "<img src=x onerror=alert(1)>"
OPENERS = {"zqxbold": "**", "zqxno": "**", "zqxred": ":red[", "zqxclick": "[", "zqxhtml": "<b>", "zqxcode": "`"}
"""What stands before each word where the name is shown as it is."""
LIVE = """openers => {
    const parts = [...document.querySelectorAll('[data-testid=stMarkdownContainer], [data-testid=stCaptionContainer]')];
    const wrong = [];
    for (const part of parts) {
        const text = part.textContent.replaceAll('\\u2060', '');
        for (const [word, opener] of Object.entries(openers)) {
            for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
                if (!text.slice(0, at).endsWith(opener)) wrong.push(text.slice(Math.max(0, at - 20), at + 20));
            }
        }
    }
    const links = document.querySelectorAll('a[href*=evil]:not([href^="#"]), a[href^=mailto]');
    for (const link of links) wrong.push(link.outerHTML);
    for (const icon of document.querySelectorAll('[aria-label="skull icon"], img[src=x]')) wrong.push(icon.outerHTML);
    return {wrong, seen: parts.map(part => part.textContent).join(' ').includes('zqx')};
}"""


@dataclass
class Hostile:
    """A server, and ids of what has hostile names there."""

    server: Server
    ids: dict[str, str]


def table(rows: int = 400) -> pd.DataFrame:
    """Return rows whose names of columns and values are hostile."""
    random = np.random.default_rng(0)
    score = random.random(rows)
    return pd.DataFrame(
        {
            LINK: score.round(3),
            BOLD: random.integers(0, 50, rows),
            RED: random.choice([ICON, IMAGE, "me@evil.example", "-> =1+1"], rows),
            GROUP: random.choice([FIRST, SECOND], rows),
            TARGET: np.where(score + random.normal(0, 0.2, rows) > 0.5, YES, NO),
        }
    )


def fill() -> dict[str, str]:
    """Import, search, keep a policy, register, score a file, and let a run fail, all with hostile names."""

    def done(run_id: str, state: RunState = RunState.SUCCEEDED) -> str:
        run = jobs.wait(run_id, 300, access=LOCAL)
        assert run.state is state, run.error_message
        return run.id

    content = table().to_csv(index=False).encode()
    upload = ingest.submit_upload(io.BytesIO(content), f"{LINK} {BOLD} {ICON}.csv", access=LOCAL)
    result = runs.get(done(upload), access=LOCAL).result
    assert result is not None
    dataset: Dataset = datasets.get(result["dataset_id"], access=LOCAL)
    settings = AutoMLSettings(
        target=TARGET,
        time_budget_s=None,
        max_trials=2,
        folds=2,
        learners=("lgbm",),
        ensemble=False,
        sensitive_columns=(GROUP,),
        positive_label=YES,
    )
    search = done(automl.submit(dataset, settings, access=LOCAL))
    failed = check.submit(dataset, f"{BOLD} {LINK}", access=LOCAL)  # there is no such column
    rules = {FIRST: ((0.5, 1.0),), SECOND: ((0.6, 1.0),)}
    policies.keep(
        runs.get(search, access=LOCAL),
        f"{ICON} www.evil.example",
        ThresholdPolicy(rules, (GROUP,), {"positive": YES}),
        access=LOCAL,
    )
    version = models.register(search, name=f"{LINK} {BOLD} {ICON}", notes=f"{IMAGE} {LINK}", access=LOCAL)
    done(check.submit(dataset, TARGET, [GROUP], access=LOCAL))
    file = io.BytesIO(table(60).to_csv(index=False).encode())
    scored = score.submit_upload(models.resolve(version.id, access=LOCAL), file, f"{BOLD} {LINK}.csv", access=LOCAL)
    jobs.wait(failed, 120, access=LOCAL)
    return {
        "dataset": dataset.id,
        "search": search,
        "scored": done(scored),
        "model": version.id,
        "failed": failed,
    }


@pytest.fixture(scope="module")
def hostile(installation: Callable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """A server on an installation in which everything has hostile names."""
    home: Path = tmp_path_factory.mktemp("hostile") / "home"
    with installation(home, MAX_RUNNING="2"):
        made = fill()
    running = start_server(home)
    yield Hostile(running, made)
    stop_server(running)


VIEWS = {
    "lists": [
        "",
        "data",
        "models",
        "runs",
        "edge",
        "fairness",
        "automl?dataset={dataset}",
        "finetune?dataset={dataset}",
    ],
    "dataset": [
        "data?dataset={dataset}",
        f"data?dataset={{dataset}}&column={quote(RED)}",
        *(f"data?dataset={{dataset}}&tab={name}" for name in ("Correlations", "Preview", "Prepare", "Versions")),
        *(f"data?dataset={{dataset}}&tab={name}" for name in ("Reading", "Checks", "Roles")),
    ],
    "search": [
        "automl?run={search}",
        *(f"automl?run={{search}}&tab={name}" for name in ("Decide", "Where+it+fails", "Explain", "What-if", "Charts")),
        *(f"automl?run={{search}}&tab={name}" for name in ("Method", "Compare", "Score")),
        "edge?model={search}",
    ],
    "fairness": [
        "fairness?run={search}",
        *(f"fairness?run={{search}}&tab={name}" for name in ("Thresholds", "Mitigations", "Report", "Bias+audit")),
    ],
    "model": [
        "models?model={model}",
        *(
            f"models?model={{model}}&tab={name}"
            for name in ("Card", "Decide", "Versions", "Lineage", "Score&score=row")
        ),
        "models?run={scored}",
        *(f"models?run={{scored}}&tab={name}" for name in ("Predictions", "Top+rows", "Rows")),
        "runs?run={failed}",
        "runs?run={search}",
    ],
}


@pytest.mark.nightly
@pytest.mark.parametrize("part", VIEWS)
def test_no_view_makes_anything_of_a_name(hostile: Hostile, tab: Page, part: str) -> None:
    dialogs: list[str] = []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    wrong: dict[str, list[str]] = {}
    seen = 0
    for address in VIEWS[part]:
        tab.goto(hostile.server.page(address.format(**hostile.ids)))
        settled(tab, 120_000)
        state = tab.evaluate(LIVE, OPENERS)
        seen += state["seen"]
        if state["wrong"]:
            wrong[address] = state["wrong"]
    assert wrong == {}
    assert dialogs == []
    assert seen > len(VIEWS[part]) / 5  # the names are there; tables draw theirs on a canvas
