"""All pages, each in its states, walked in a process of their own: what they may not load is not loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.catalog import Model
from tests.golden import Golden
from tests.pages.conftest import ROOT, World
from tests.unit.test_layout import HEAVY

TABS = [
    "Leaderboard",
    "Charts",
    "Explain",
    "Where it fails",
    "Decide",
    "What-if",
    "Score",
    "Export",
    "Continue",
    "Checks",
    "Method",
]
WALK = """
import json, sys
from tests.pages.conftest import visit

for page, query, key, tabs in json.loads(sys.argv[1]):
    test = visit(page, **query)
    if key and not tabs:
        test.button(key=key).click().run()
        assert not test.exception and not test.error, (page, query)
    for tab in tabs:
        test.session_state[key] = tab
        test.run()
        assert not test.exception and not test.error, (page, query, tab)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def loaded_by_visits(visits: list[list[Any]]) -> set[str]:
    """Return the packages that a process has loaded after visits: page, query, key of a widget, tabs to open by it."""
    done = subprocess.run(
        [sys.executable, "-c", WALK, json.dumps(visits)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_pages_load_nothing_that_only_a_run_needs(
    world: World, credit_model: Model, golden: tuple[Path, Golden]
) -> None:
    model = {"model": credit_model.id, "version": "2"}
    visits = [
        ["home", {}, "", []],
        ["data", {}, "", []],
        ["data", {"dataset": world.credit.id}, "data-tabs", ["Columns", "Preview", "Checks", "Roles"]],
        ["automl", {"dataset": world.credit.id}, "", []],
        ["automl", {"run": world.binary}, "automl-tabs", TABS],
        ["automl", {"run": world.number}, "automl-tabs", ["Charts", "Explain", "What-if"]],
        [
            "fairness",
            {"run": world.binary},
            "fairness-tabs",
            ["Groups", "Compare", "Threshold lab", "Mitigations", "Report", "Bias audit"],
        ],
        ["federated", {"dataset": world.credit.id, "target": "credit", "sites": "purpose"}, "", []],
        ["finetune", {"dataset": world.credit.id}, "", []],
        ["edge", {}, "", []],
        ["edge", {"run": world.exported}, "edge-tabs", ["Variants", "Parity", "Graph", "Measure", "Measurements"]],
        ["edge", {"run": world.measured}, "edge-latency-tabs", ["Latency", "Sweep", "Operators", "Roofline", "Method"]],
        ["models", {}, "", []],
        ["models", model, "models-tabs", ["Versions", "Card", "Compare", "Score", "History", "Lineage"]],
        ["models", model | {"tab": "Card"}, "models-card-view", ["questions", "coverage"]],
        ["models", model | {"tab": "Score", "score": "row"}, "models-score-row", []],
        ["models", {"run": golden[1].scored}, "models-scored-tabs", ["Differences", "Predictions", "Rows"]],
        ["pipelines", {}, "pipelines-home", ["Pipelines", "Components"]],
        ["pipelines", {"component": "train_xgboost"}, "", []],
        ["runs", {}, "", []],
        ["runs", {"run": world.binary}, "runs-tabs", ["Facts", "Log", "Files"]],
    ]
    packages = loaded_by_visits(visits)
    assert "streamlit" in packages
    assert not packages & {*HEAVY, "sklearn"}
