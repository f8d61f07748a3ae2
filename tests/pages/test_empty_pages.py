"""Each page of a fresh installation says what it is for, and holds what fills it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.conftest import labels, texts, visit


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("home", "See it work in two minutes"),
        ("data", "Your own table"),
        ("automl", "no table to learn from yet"),
        ("federated", "There is no table yet"),
        ("fairness", "Nothing to analyze yet"),
        ("edge", "There is no model yet"),
        ("models", "There are no models yet. Search for one"),
        ("runs", "No runs yet"),
        ("pipelines", "There is no pipeline yet"),
    ],
)
def test_an_empty_page_says_what_to_do(home: Path, page: str, said: str) -> None:
    test = visit(page)
    assert not test.exception
    assert not test.error
    assert said in texts(test)


def test_home_offers_the_sample_and_the_upload(home: Path) -> None:
    assert labels(visit("home")) == ["Load the Adult sample", "Upload my own table"]


@pytest.mark.parametrize("page", ["automl", "edge", "federated", "models", "runs"])
def test_an_unknown_run_is_an_error_with_a_hint(home: Path, page: str) -> None:
    test = visit(page, run="0123456789abcdef")
    assert not test.exception
    assert [error.proto.title.replace("\\", "") for error in test.error] == ["There is no run '0123456789abcdef'."]
    assert "Runs page" in texts(test)
    if page in ("automl", "models"):  # a way on without the sidebar
        test.button(key=f"{page}-back").click().run()
        assert not test.error
        assert "run" not in test.query_params


def test_an_unknown_dataset_is_an_error_with_a_hint(home: Path) -> None:
    test = visit("data", dataset="0123456789abcdef")
    assert not test.exception
    assert len(test.error) == 1
    assert test.error[0].value


def test_an_unforeseen_error_gives_a_number_and_no_traceback(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.catalog import runs

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("the secret detail")

    monkeypatch.setattr(runs, "find", broken)  # a double: no real input makes this function raise
    test = visit("runs")
    assert not test.exception
    assert "Something went wrong on our side" in texts(test)
    assert "secret" not in texts(test)


def test_what_is_odd_about_the_installation_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_MAX_ROW", "5")
    (warning,) = visit("home").warning
    assert warning.value.replace("\\", "").startswith("PLUMBLINE_MAX_ROW is not a setting and has no effect.")
    (home / "catalog.db").rename(home / "aside.db")
    test = visit("home")
    assert not test.exception
    assert [error.proto.title.replace("\\", "") for error in test.error] == [
        f"The catalog {home}/catalog.db was deleted or moved while Plumbline was using it, so nothing can be stored."
    ]
    assert not (home / "catalog.db").exists()
    (home / "aside.db").rename(home / "catalog.db")
