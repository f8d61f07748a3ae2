"""What a site says of the shared model on its own test rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.federated import FederatedSettings
from core.federated.coordinator.study import Study
from core.federated.coordinator.training import Fitted, train
from core.federated.evidence.alone import train_alone
from core.federated.protocol.message import Reply, Request
from core.federated.site.answering import answer
from core.federated.site.in_process import InProcessSites
from core.federated.site.site import Site
from tests.federated.tables import sites_table


def trained(frames: dict[str, pd.DataFrame], **settings: Any) -> tuple[InProcessSites, Fitted]:
    channel = InProcessSites([Site(name, frame, train_alone=train_alone) for name, frame in frames.items()])
    fitted = train(
        Study(channel, masked=True, min_sites=2),
        FederatedSettings(**{"target": "ill", "algorithm": "linear", "folds": 0, **settings}),
    )
    return channel, fitted


def evaluate(channel: InProcessSites, fitted: Fitted, site: str, metric: str = "roc_auc") -> Reply:
    content = {"metric": metric, "state": fitted.state.content}
    return answer(channel.by_name[site], Request(1_000, "evaluate", content, dict(fitted.state.arrays)))


def frames_of(**rows: int) -> dict[str, pd.DataFrame]:
    table = sites_table(2_000).drop(columns="hospital")
    starts = np.cumsum([0, *rows.values()])
    return {
        name: table.iloc[start : start + count].reset_index(drop=True)
        for (name, count), start in zip(rows.items(), starts, strict=False)
    }


def test_few_test_rows_say_nothing() -> None:
    channel, fitted = trained(frames_of(large=300, small=45))
    assert len(channel.by_name["small"].test) == 9
    reply = evaluate(channel, fitted, "small")
    assert reply == Reply({"evidence": None, "reason": "It has fewer than 10 test rows.", "groups": []})
    assert evaluate(channel, fitted, "large").content["evidence"]["test"] == 60


def test_groups_and_counts_of_fewer_than_ten_rows_stay() -> None:
    frames = frames_of(a=300, b=300)
    frames["a"].loc[frames["a"].index % 40 == 0, "job"] = "scarce"
    channel, fitted = trained(frames, sensitive_columns=("job", "age", "absent"))
    reply = evaluate(channel, fitted, "a").content
    by_job, by_age = reply["groups"]
    site = channel.by_name["a"]
    sizes = site.frame["job"].iloc[site.test].value_counts()
    assert sizes.get("scarce", 0) < 10
    # Fewer than ten rows are in small groups: the smallest of the others stays as well, or they could be had.
    assert by_job["left_out"] == int((sizes < 10).sum()) + 1
    assert {row["group"] for row in by_job["metrics"]} == set(sizes[sizes >= 10].index[:-1])
    assert min(row["n"] for record in reply["groups"] for row in record["metrics"]) >= 10
    assert all("below" in row["group"] or "or more" in row["group"] for row in by_age["metrics"])
    assert "scarce" not in json.dumps(reply)


def test_the_number_of_a_rare_class_stays() -> None:
    frames = frames_of(a=300, b=300)
    yes = np.flatnonzero(frames["a"]["ill"] == "yes")
    frames["a"] = frames["a"].drop(index=yes[20:]).reset_index(drop=True)
    channel, fitted = trained(frames)
    site = channel.by_name["a"]
    assert 0 < int((site.y_test == 1).sum()) < 10
    reply = evaluate(channel, fitted, "a").content
    assert reply == {"evidence": None, "reason": "A class has fewer than 10 of its test rows.", "groups": []}


def test_a_site_without_an_own_model_says_why() -> None:
    channel, fitted = trained(frames_of(a=300, b=300))

    def fails(*_: object) -> None:
        raise InputError("It has one class.", "")

    channel.by_name["a"].train_alone = fails
    evidence = evaluate(channel, fitted, "a").content["evidence"]
    assert evidence["local_error"] == "The site has no model of its own (InputError)."
    assert evidence["gain"] is None


def test_what_does_not_fit_is_refused() -> None:
    channel, fitted = trained(frames_of(a=300, b=300))
    for metric in ("r2", "no metric"):
        with pytest.raises(InputError, match="does not fit"):
            evaluate(channel, fitted, "a", metric)
        channel.by_name["a"].asked.clear()
    channel.by_name["a"].train_alone = None
    with pytest.raises(InputError, match="before it had features"):
        evaluate(channel, fitted, "a")


def test_numbers_are_compared_by_group_as_well() -> None:
    channel, fitted = trained(frames_of(a=300, b=300), target="income", sensitive_columns=("job",))
    reply = evaluate(channel, fitted, "a", "r2").content
    assert reply["evidence"]["gain"] is not None
    names = {row["metric"] for row in reply["groups"][0]["metrics"]}
    assert "mean_prediction" in names
