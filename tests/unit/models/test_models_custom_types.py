"""Columns that a user said are something else: new rows are checked against what the model took them for."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from core import models
from core.access import LOCAL
from core.automl import AutoMLSettings, search
from tests.unit.models.conftest import QUICK


@pytest.fixture(scope="module")
def shop():
    random = np.random.default_rng(0)
    branch = random.choice([1010, 2020, 3030, 4040], 160)
    return pd.DataFrame(
        {
            "branch": branch,
            "title": random.choice(["red shoe", "blue shoe", "green hat"], 160),
            "price": random.normal(size=160),
            "sold": np.where((branch == 2020) | (random.random(160) < 0.2), "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def searched(shop):
    types = {"branch": "categorical", "title": "text"}
    return search(shop, AutoMLSettings(target="sold", featurization="custom", column_types=types, **QUICK))


@pytest.fixture
def version(finish, searched, shop):
    return models.resolve(models.register(finish(searched, shop, "sold from Shop").id, access=LOCAL).id, access=LOCAL)


def test_a_number_that_is_a_category_reports_codes_that_were_not_there(version, searched, shop):
    known = models.score_rows(version.id, shop, access=LOCAL)
    assert not [finding for finding in known.findings if finding.column in ("branch", "title")]
    np.testing.assert_allclose(known.table["p(yes)"], searched.model.predict_proba(shop)[:, 1], atol=1e-9)
    rows = shop.head(4).assign(branch=[1010, 2525, 3030, 2525])  # 2525 is within the range
    report = models.score_rows(version.id, rows, access=LOCAL).columns[0]
    assert (report.unseen, report.unseen_examples, report.outside, report.given) == (2, ("2525",), 0, "")
    empty = rows.assign(branch=[1010.0, 2020.0, None, 3030.0])
    assert models.score_rows(version.id, empty, access=LOCAL).columns[0].unseen == 0
    texts = models.score_rows(version.id, rows.astype({"branch": str}), access=LOCAL)
    assert (texts.columns[0].unseen, texts.columns[0].given) == (2, "")


def test_short_titles_that_are_text_are_never_unseen(version, shop):
    scored = models.score_rows(version.id, shop.head(3).assign(title=["a new thing", "red hat", "blue"]), access=LOCAL)
    report = next(column for column in scored.columns if column.name == "title")
    assert (report.unseen, report.unreadable, report.given) == (0, 0, "")
    assert not [finding for finding in scored.findings if finding.column == "title"]


def test_the_form_offers_the_codes_and_takes_any_text(version):
    fields = {field.name: field for field in models.form_fields(version, access=LOCAL)}
    assert sorted(fields["branch"].choices) == ["1010", "2020", "3030", "4040"]

    def page(fields_by_name):
        import streamlit as st

        from core.models import Field
        from pages.models import fields

        st.session_state["row"] = {
            name: fields.draw(Field.from_dict(field), name) for name, field in fields_by_name.items()
        }

    form = AppTest.from_function(
        page, kwargs={"fields_by_name": {name: field.to_dict() for name, field in fields.items()}}
    )
    form.run().text_area(key="title").set_value("a new thing")
    form.selectbox(key="branch").set_value("3030").run()
    row = form.session_state["row"]
    assert (row["title"], row["branch"]) == ("a new thing", "3030")
    scored = models.score_rows(version.id, pd.DataFrame([row]), access=LOCAL)
    assert not scored.findings


def test_mlflow_checks_no_type_of_such_codes(version, tmp_path):
    """Its "string" would refuse the table's own numbers."""
    content = yaml.safe_load(
        (models.save_mlflow(version.id, tmp_path / "served", access=LOCAL) / "MLmodel").read_text()
    )
    types = {column["name"]: column["type"] for column in json.loads(content["signature"]["inputs"])}
    assert types == {"branch": "any", "title": "string", "price": "double"}
