"""A study between machines as a run: created on the page, joined by processes of sites, its result drawn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.federated import FederatedSettings
from core.tasks import federated_study
from tests.federated.network_processes import free_port
from tests.federated.tables import sites_table
from tests.pages.conftest import visit

pytestmark = pytest.mark.nightly
SITES = ("north", "south")


def test_a_run_leads_sites_that_join_from_elsewhere(installation: Any, tmp_path: Path) -> None:
    with installation(tmp_path / "home"):
        settings = FederatedSettings(target="ill", algorithm="linear", folds=0, sensitive_columns=("job",))
        run_id = federated_study.submit(settings, SITES, f"127.0.0.1:{free_port()}", access=LOCAL)
        run = jobs.get(run_id, access=LOCAL)
        deadline = time.monotonic() + 60
        while len(tokens := federated_study.tokens(run, access=LOCAL)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        page = visit("federated", run=run_id)
        assert not page.exception
        assert "plumbline-site join north.token" in page.code[0].value
        sites = []
        for name in SITES:
            table = sites_table()
            table[table["hospital"] == name].drop(columns="hospital").to_csv(tmp_path / f"{name}.csv", index=False)
            command = [sys.executable, "-m", "core.federated.network.site_command", "join", str(tokens[name])]
            command += ["--table", str(tmp_path / f"{name}.csv"), "--folder", str(tmp_path / name), "--approve"]
            sites.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        try:
            run = jobs.wait(run_id, 120, access=LOCAL)
            assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run_id, access=LOCAL)[-2_000:])
            assert [site.wait(30) for site in sites] == [0, 0]
        finally:
            for site in sites:
                site.kill()
        record = json.loads(jobs.artifact_path(run_id, "federated.json", access=LOCAL).read_text())
        assert record["overall"] is None
        folder = jobs.artifact_path(run_id, "federated.json", access=LOCAL).parent
        assert folder.is_dir()
        for tab in ("Sites", "Rounds", "Messages", "Privacy", "Model", "Checks", "Method"):
            page = visit("federated", run=run_id, tab=tab)
            assert not page.exception, tab
            assert not page.error, tab
        assert federated_study.tokens(run, access=LOCAL).keys() <= set(SITES)
