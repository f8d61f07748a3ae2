"""The Fairness page on decisions of people: the finding, the favorable outcome, the coding of labels, the criterion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.access import LOCAL
from core.catalog import Dataset, datasets
from core.datasets import fingerprint, profile, store_frame
from core.storage import get_store
from tests.pages.conftest import query, texts, visit

APPLICANTS = {"Woman": (269, 1_347), "Man": (493, 1_679), "Non-binary": (13, 38), None: (16, 76)}


@pytest.fixture
def applicants(home: Path, tmp_path: Path) -> Dataset:
    """A table of applicants whom a panel invited or rejected, in several codings."""
    gender = np.repeat(np.array([*APPLICANTS], dtype=object), [rows for _, rows in APPLICANTS.values()])
    invited = np.concatenate([np.arange(rows) < hits for hits, rows in APPLICANTS.values()])
    frame = pd.DataFrame(
        {
            "gender": gender,
            "panel": np.where(invited, "invite", "reject"),
            "model": np.where(np.roll(invited, 1), "Invite", "Reject"),
            "code": np.where(invited, "A", "B"),
            "score": np.where(invited, 0.8, 0.3),
        }
    )
    path = store_frame(frame, tmp_path / "table.parquet")
    dataset, _ = datasets.add(
        Dataset(
            workspace="local",
            name="applicants",
            fingerprint=fingerprint(path),
            data_digest=get_store().put_file(path),
            profile_digest=get_store().put_bytes(json.dumps(profile(path).to_dict()).encode()),
            rows=len(frame),
            columns=frame.shape[1],
            size_bytes=path.stat().st_size,
            source="applicants.csv",
            roles={},
        ),
        access=LOCAL,
    )
    return dataset


def plain(text: str) -> str:
    """Return what a browser shows of an escaped text."""
    return text.replace("\\", "")


def opened(dataset: Dataset, **columns: str) -> AppTest:
    test = visit("fairness", dataset=dataset.id, groups="gender", **columns)
    assert not test.exception
    return test


def test_decisions_of_a_panel_lead_to_a_conclusion_and_to_impact_ratios(applicants: Dataset) -> None:
    test = opened(applicants, prediction="panel")
    finding = plain(test.subheader[0].value)
    assert finding.startswith("'Woman': 20 of 100 invited, 'Man': 29 of 100 (gap 9.4 points [")
    said = plain(texts(test))
    assert "'Non-binary' (38 rows): no gap to another group is beyond chance." in said
    assert "3,140 rows" in said
    assert "names an outcome that is good for the person" in said
    assert {metric.label: metric.value for metric in test.metric}["Ratio of these two"] == "0.68"
    groups, impact = (table.value for table in test.dataframe)
    assert groups.columns.tolist() == ["Group", "Rows", "Selection rate (%)"], "nothing about right and wrong decisions"
    woman = impact.set_index("Group").loc["Woman"]
    assert woman[["Applicants", "Selected"]].tolist() == [1_347, 269]
    assert woman["Impact ratio"] == pytest.approx((269 / 1_347) / (493 / 1_679))
    assert "29 CFR 1607.4 D" in said
    assert "EEOC" not in said
    # Three questions lead to a criterion, which the address keeps.
    test.radio(key="fairness-question-rates").set_value("yes").run()
    test.button(key="fairness-use-criterion").click().run()
    assert test.selectbox(key="fairness-definition").value == "four_fifths"
    assert query(test, "criterion") == "four_fifths"
    assert any("The smallest ratio is" in element.value for element in test.markdown)


def test_no_figures_before_the_favorable_outcome_is_known(applicants: Dataset) -> None:
    test = opened(applicants, prediction="code")
    assert "Choose the outcome that is good for the person." in texts(test)
    assert not test.subheader
    assert not test.metric
    test.selectbox(key=f"fairness-positive-{applicants.id}-code").set_value("A").run()
    assert plain(test.subheader[0].value).startswith("'Woman': 20 of 100 get 'A'")
    assert query(test, "favorable") == "A"
    again = opened(applicants, prediction="code", favorable="A")
    assert again.subheader[0].value == test.subheader[0].value


def test_labels_of_another_coding_are_mapped_by_the_user(applicants: Dataset) -> None:
    test = opened(applicants, label="panel", prediction="model")
    assert "never occur among the true labels" in texts(test)
    assert test.subheader, "a spelling is suggested, and shown"
    rates = test.dataframe[0].value.set_index("Group")
    assert rates.loc["Man", "Accuracy (%)"] > 99
    key = f"fairness-mapping-{applicants.id}-panel-code"
    test = opened(applicants, label="panel", prediction="code")
    assert not test.subheader, "nothing says what A means"
    test.selectbox(key=f"{key}-A").set_value("invite")
    test.selectbox(key=f"{key}-B").set_value("reject").run()
    rates = test.dataframe[0].value.set_index("Group")
    assert rates["Accuracy (%)"].tolist() == [100.0] * 4
    assert "predicted A counts as invite" in texts(test)


def test_a_score_takes_no_rows_from_the_groups(applicants: Dataset) -> None:
    test = opened(applicants, label="panel", prediction="panel", score="score")
    assert test.dataframe[0].value["Rows"].sum() == 3_140
    test.session_state["fairness-tabs"] = "Threshold lab"
    test.run()
    assert "a rule is checked on the other half" in texts(test)
    assert test.dataframe[0].value["Rows"].sum() == pytest.approx(1_570, rel=0.1)
    test.button(key="fairness-optimize").click().run()
    test.button(key="fairness-apply").click().run()
    assert not test.exception
    said = texts(test)
    assert "On the other half of the rows the rule gives" in said
    assert "refitted" not in said
