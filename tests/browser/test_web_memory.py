"""A gigabyte of text, millions of rows and thousands of columns on every page: the web process stays small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.views import Server, running
from pages._ui.frame import DEFECT_TITLE
from tests.browser.large_home import Large, fill
from tests.golden import Golden, copy_home

LIMIT_MB = 600


def views(golden: Golden, large: Large) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the addresses of all pages that show something of the large tables: page and query, by name."""
    shown: dict[str, tuple[str, dict[str, str]]] = {"home": ("", {}), "datasets": ("data", {}), "runs": ("runs", {})}
    tables = {name: getattr(large, name) for name in ("notes", "reviews", "long", "decisions", "wide")}
    for name, dataset in tables.items():
        for tab in ("Columns", "Correlations", "Preview", "Prepare", "Versions", "Reading", "Checks", "Roles"):
            shown[f"{name}, {tab}"] = ("data", {"dataset": dataset, "tab": tab})
    shown["notes, column"] = ("data", {"dataset": large.notes, "column": "notes"})
    shown["reviews, column"] = ("data", {"dataset": large.reviews, "column": "text"})
    for name, target in (
        ("notes", "credit"),
        ("notes", "notes"),
        ("reviews", "text"),
        ("long", "credit"),
        ("long", "number"),
        ("wide", "measure 1"),
        ("wide", "kind"),
    ):
        shown[f"search form, {name}, {target}"] = ("automl", {"dataset": tables[name], "target": target})
    for name, text, label in (
        ("notes", "notes", "credit"),
        ("notes", "purpose", "notes"),
        ("reviews", "text", "sentiment"),
    ):
        query = {"dataset": tables[name], "text": text, "label": label}
        shown[f"training form, {name}, {text} to {label}"] = ("finetune", query)
    searches = {"search of notes": golden.binary, "rival search": golden.rival, "long search": large.long_run}
    for name, run in searches.items():
        for tab in ("Leaderboard", "Charts", "Explain", "Where it fails", "Decide", "What-if", "Export", "Method"):
            shown[f"{name}, {tab}"] = ("automl", {"run": run, "tab": tab})
        for tab in ("Groups", "Compare", "Threshold lab", "Mitigations", "Report", "Decide", "Bias audit"):
            query = {"run": run, "tab": tab, "groups": "sex"}
            if tab == "Compare":
                query["with"] = golden.rival if run == golden.binary else golden.binary
            shown[f"fairness of {name}, {tab}"] = ("fairness", query)
    shown["fairness of search of notes, by notes"] = ("fairness", {"run": golden.binary, "groups": "notes"})
    for tab in ("Groups", "Threshold lab", "Report", "Decide", "Bias audit"):
        query = {"label": "truth", "prediction": "decision", "score": "score", "groups": "group", "tab": tab}
        shown[f"own decisions, {tab}"] = ("fairness", query | {"dataset": large.decisions})
    audit = {"tab": "Bias audit", "outcome": "decision", "selected": "yes", "sex": "group", "prediction": "decision"}
    shown["own decisions, audit by group"] = ("fairness", audit | {"dataset": large.decisions})
    shown["own decisions, notes"] = (
        "fairness",
        {"dataset": large.notes, "prediction": "notes", "groups": "sex", "tab": "Bias audit", "outcome": "notes"},
    )
    for tab in ("Mistakes", "Test texts", "Learning", "Decide", "Try it", "Checks"):
        shown[f"training, {tab}"] = ("finetune", {"run": golden.text, "tab": tab})
    shown["fairness of training, by text"] = ("fairness", {"run": golden.text, "groups": "text"})
    shown["fairness of training, by length"] = ("fairness", {"run": golden.text, "groups": "length"})
    shown["exports"] = ("edge", {})
    for tab in ("Variants", "Parity", "Graph", "Measure", "Measurements"):
        shown[f"export, {tab}"] = ("edge", {"run": golden.exported, "tab": tab})
        shown[f"text export, {tab}"] = ("edge", {"run": golden.text_export, "tab": tab})
    for tab in ("Latency", "Operators", "Method"):
        shown[f"latency, {tab}"] = ("edge", {"run": golden.measured, "tab": tab})
    shown["models"] = ("models", {})
    for tab in ("Versions", "Card", "Compare", "Score", "Decide", "History", "Lineage"):
        shown[f"model, {tab}"] = ("models", {"model": golden.model, "version": "1", "tab": tab})
    shown["text model, Card"] = ("models", {"model": golden.text_model, "tab": "Card"})
    shown["model, one row"] = ("models", {"model": golden.model, "version": "1", "tab": "Score", "score": "row"})
    for tab in ("Differences", "Predictions", "Top rows", "Rows"):
        shown[f"scored file, {tab}"] = ("models", {"run": golden.scored, "tab": tab})
    for tab in ("Facts", "Log", "Files"):
        shown[f"run, {tab}"] = ("runs", {"run": large.long_run, "tab": tab})
    return shown


@pytest.fixture(scope="module")
def large(
    golden: tuple[Path, Golden], installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, dict[str, tuple[str, dict[str, str]]]]]:
    """A server on an installation with large tables, and the addresses of its pages."""
    folder = tmp_path_factory.mktemp("large")
    copy_home(golden[0], folder / "home")
    with installation(folder / "home"):
        ids = fill(golden[1], folder)
    # Runs that pages start are of no interest here, and end as soon as they have loaded something.
    environment = {"PLUMBLINE_MEMORY_LIMIT_MB": "200", "PLUMBLINE_TICK_EVERY_S": "0"}
    with running(folder / "home", environment) as server:
        yield server, views(golden[1], ids)
    with installation(folder / "home"):  # its end cancels what is left
        pass


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_the_web_process_holds_no_large_table(
    large: tuple[Server, dict[str, tuple[str, dict[str, str]]]], capsys: pytest.CaptureFixture[str]
) -> None:
    server, shown = large
    taken = {name: server.visit(page, query) for name, (page, query) in shown.items()}
    lines = [
        f"{name}: {view.peak_mb:,.0f} MB, {view.wall_s:.1f} s, {view.sent_bytes / 2**20:.1f} MB sent {view.errors}"
        for name, view in taken.items()
    ]
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201
    assert len(taken) > 100
    too_large = [line for line, view in zip(lines, taken.values(), strict=True) if view.peak_mb >= LIMIT_MB]
    assert not too_large
    assert not [line for line, view in zip(lines, taken.values(), strict=True) if DEFECT_TITLE in str(view.errors)]
