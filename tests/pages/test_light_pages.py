"""All pages, each in its states, walked in a process of their own: what they may not load is not loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.pages.conftest import ROOT, World
from tests.unit.test_layout import HEAVY

TABS = ["Leaderboard", "Charts", "Explain", "What-if", "Score", "Export", "Continue", "Checks", "Method"]
WALK = """
import json, sys
from tests.pages.conftest import visit

for page, query, key, tabs in json.loads(sys.argv[1]):
    test = visit(page, **query)
    for tab in tabs:
        test.session_state[key] = tab
        test.run()
        assert not test.exception and not test.error, (page, query, tab)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_the_pages_load_nothing_that_only_a_run_needs(world: World) -> None:
    visits = [
        ["home", {}, "", []],
        ["data", {}, "", []],
        ["data", {"dataset": world.credit.id}, "dataset-tabs", ["Columns", "Preview", "Checks", "Roles"]],
        ["automl", {"dataset": world.credit.id}, "", []],
        ["automl", {"run": world.found}, "result-tabs", TABS],
        ["automl", {"run": world.number}, "result-tabs", ["Charts", "Explain", "What-if"]],
        ["fairness", {"run": world.found}, "fairness-tabs", ["Groups", "Threshold lab", "Mitigations", "Report"]],
        ["finetune", {"dataset": world.credit.id}, "", []],
        ["edge", {}, "", []],
        ["edge", {"run": world.exported}, "edge-tabs", ["Variants", "Parity", "Graph", "Measure", "Measurements"]],
        ["edge", {"run": world.measured}, "latency-tabs", ["Latency", "Sweep", "Operators", "Roofline", "Method"]],
        ["runs", {}, "", []],
        ["runs", {"run": world.found}, "run-tabs", ["Facts", "Log", "Files"]],
    ]
    done = subprocess.run(
        [sys.executable, "-c", WALK, json.dumps(visits)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    packages = set(json.loads(done.stdout.splitlines()[-1]))
    assert "streamlit" in packages
    assert not packages & set(HEAVY)
