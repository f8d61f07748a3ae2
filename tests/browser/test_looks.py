"""Both themes, wide and narrow: colours follow the theme, nothing runs off the side, no accessibility finding."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from core.catalog import RunState
from tests.browser.conftest import Server, settled, start_server, stop_server

GROUNDS = {False: "rgb(255, 255, 255)", True: "rgb(17, 23, 29)"}
# Streamlit's own frame has findings that no app can mend; only what is new counts.
SERIOUS = ("critical", "serious")
PICTURES = os.environ.get("PLUMBLINE_SCREENSHOTS")  # read now: installations of tests clear such variables


@pytest.fixture(scope="module")
def addresses(installation, tmp_path_factory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server on a catalog with a table and a finished search, and the addresses of its pages."""
    from core import jobs, models
    from core.automl import AutoMLSettings
    from core.catalog import datasets
    from core.datasets import load_sample
    from core.edge.latency import LatencySettings, LatencySuiteSettings
    from core.finetune import FineTuneSettings
    from core.tasks import automl, check, export, finetune, ingest, latency, score

    home = tmp_path_factory.mktemp("looks")
    with installation(home):
        loaded = jobs.wait(ingest.submit_sample("german_credit", workspace="local"), 60, workspace="local")
        dataset = datasets.get(loaded.result["dataset_id"], "local")
        settings = AutoMLSettings(target="credit", time_budget_s=None, max_trials=5, folds=2)
        run = jobs.wait(automl.submit(dataset, settings), 120, workspace="local")
        assert run.state is RunState.SUCCEEDED
        sensitive = dataset.roles["sensitive"]
        jobs.wait(check.submit(dataset, "credit", sensitive), 60, workspace="local")
        loaded = jobs.wait(ingest.submit_sample("product_reviews", workspace="local"), 60, workspace="local")
        texts = datasets.get(loaded.result["dataset_id"], "local")
        tuning = FineTuneSettings(text_column="text", label_column="sentiment", max_length=32, max_steps=20)
        tuned = jobs.wait(finetune.submit(texts, tuning), 240, workspace="local")
        assert tuned.state is RunState.SUCCEEDED
        exported = jobs.wait(export.submit(tuned, modes=("dynamic-int8",)), 240, workspace="local")
        quick = LatencySettings(warmup_s=0.2, duration_s=1, sequence_length=16)
        lab = LatencySuiteSettings(
            variants=("fp32", "dynamic-int8"), latency=quick, native=True, sweep={"batch_size": [1, 4]}
        )
        measured = jobs.wait(latency.submit(exported, lab), 240, workspace="local")
        assert measured.state is RunState.SUCCEEDED
        again = jobs.wait(automl.submit(dataset, settings.model_copy(update={"max_trials": 3})), 120, workspace="local")
        assert again.state is RunState.SUCCEEDED
        model = models.register(run.id, name="Credit", workspace="local")
        model = models.register(again.id, name="Credit", workspace="local")
        models.promote(model.id, 1, why="It came first.", workspace="local")
        exported_search = jobs.wait(export.submit(again, modes=()), 120, workspace="local")
        assert exported_search.state is RunState.SUCCEEDED
        rows = load_sample("german_credit").frame.head(200).to_csv(index=False).encode()
        scored = jobs.wait(
            score.submit_upload(models.versions(model.id, workspace="local")[0], io.BytesIO(rows), "new rows.csv"),
            60,
            workspace="local",
        )
        assert scored.state is RunState.SUCCEEDED
        server = start_server(home)
        yield (
            server,
            {
                "home": "",
                "data": "data",
                "dataset": f"data?dataset={dataset.id}",
                "form": f"automl?dataset={dataset.id}",
                "result": f"automl?run={run.id}",
                "fairness": f"fairness?run={run.id}",
                "finetune-form": f"finetune?dataset={texts.id}",
                "finetune": f"finetune?run={tuned.id}",
                "edge": "edge",
                "export": f"edge?run={exported.id}",
                "latency": f"edge?run={measured.id}",
                "models": "models",
                "model": f"models?model={model.id}&version=2",
                "card": f"models?model={model.id}&version=2&tab=Card",
                "questions": f"models?model={model.id}&version=2&tab=Card&view=questions",
                "coverage": f"models?model={model.id}&version=2&tab=Card&view=coverage",
                "compare": f"models?model={model.id}&version=2&tab=Compare",
                "row": f"models?model={model.id}&version=2&tab=Score&score=row",
                "scored": f"models?run={scored.id}",
                "runs": "runs",
                "run": f"runs?run={run.id}",
            },
        )
        stop_server(server)


PAGES = (
    "home",
    "data",
    "dataset",
    "form",
    "result",
    "fairness",
    "finetune-form",
    "finetune",
    "edge",
    "export",
    "latency",
    "models",
    "model",
    "card",
    "questions",
    "coverage",
    "compare",
    "row",
    "scored",
    "runs",
    "run",
)


def opened(browser: Browser, address: str, width: int) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(address)
    settled(page)
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_theme_is_followed(browser: Browser, addresses, dark: bool) -> None:
    server, paths = addresses
    page = opened(browser, server.page(paths["form"], dark=dark), 1440)
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert ground == GROUNDS[dark]
    bars = page.locator('[data-testid="stVegaLiteChart"] svg path[fill], [data-testid="stVegaLiteChart"] canvas')
    assert bars.count() > 0
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_off_the_side_of_a_narrow_screen(browser: Browser, addresses, name: str) -> None:
    server, paths = addresses
    page = opened(browser, server.page(paths[name]), 390)
    wide = page.evaluate(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth }"
    )
    assert wide <= 1
    page.context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_accessibility_finding_beyond_streamlits_own(browser: Browser, addresses, dark: bool) -> None:
    server, paths = addresses
    base: set[str] = set()
    found: dict[str, set[str]] = {}
    for name in [name for name in PAGES if name not in ("data", "dataset", "runs")]:
        page = opened(browser, server.page(paths[name], dark=dark), 1440)
        violations = Axe().run(page).response["violations"]
        serious = {
            f"{item['id']}: {re.sub(r'-[0-9a-z]{6,}', '', node['html'])[:160]}"
            for item in violations
            if item["impact"] in SERIOUS
            for node in item["nodes"]
        }
        if name == "home":
            base = {entry.split(":")[0] for entry in serious}
        found[name] = {entry for entry in serious if entry.split(":")[0] not in base}
        page.context.close()
    assert {name: entries for name, entries in found.items() if entries} == {}


@pytest.mark.skipif(PICTURES is None, reason="set PLUMBLINE_SCREENSHOTS to a folder")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_take_pictures(browser: Browser, addresses, dark: bool, width: int) -> None:
    server, paths = addresses
    for name in PAGES:
        page = opened(browser, server.page(paths[name], dark=dark), width)
        theme = "dark" if dark else "light"
        page.screenshot(path=f"{PICTURES}/{name}-{theme}-{width}.png", full_page=True)
        page.context.close()
