"""Charts of an explanation: what they draw, how their axes are called, and both themes' colors."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.explain import ExplainSettings, explain, waterfall
from pages._ui import dependence_chart, explain_charts, theme
from tests.unit.explain.explain_models import odd_result


@pytest.fixture(scope="module")
def explained():
    result, frame = odd_result("lgbm", "binary", rows=300)
    sex = np.random.default_rng(0).choice(["f", "m"], 300)
    result.test["sex"] = sex
    result.settings = result.settings.model_copy(update={"sensitive_columns": ("sex",)})
    return explain(result, frame.assign(sex=sex), ExplainSettings(budget_s=100))


def drawn(function, *arguments, **named):
    """Draw in an app; returns the specifications of the charts, with their data, and the captions."""

    def script(function, arguments, named):
        function(*arguments, **named)

    test = AppTest.from_function(script, args=(function, arguments, named), default_timeout=30).run()
    assert not test.exception, test.exception
    charts = []
    for element in test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart"):
        charts.append(json.loads(element.proto.spec))
    return charts, [caption.value for caption in test.caption]


def parts(spec):
    """Return all layers of a chart."""
    layers = spec.get("layer")
    return [spec] if layers is None else [part for layer in layers for part in parts(layer)]


def titles(spec, channel):
    return {part["encoding"][channel].get("title") for part in parts(spec) if channel in part.get("encoding", {})}


def test_importance_has_bars_and_intervals_in_the_metrics_unit(explained):
    (spec,), captions = drawn(explain_charts.importance, explained.permutation, "ROC AUC")
    assert [part["mark"]["type"] for part in parts(spec)] == ["bar", "rule"]
    assert "Drop of ROC AUC" in titles(spec, "x")
    assert captions == []
    long = pd.concat([explained.permutation] * 3)
    assert drawn(explain_charts.importance, long, "ROC AUC")[1] == ["The 15 largest of 27 are shown."]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colors_are_those_of_the_theme(explained, monkeypatch, mode):
    monkeypatch.setattr(theme, "_mode", lambda: mode)
    (spec,), _ = drawn(explain_charts.importance, explained.permutation, "ROC AUC")
    bar, rule = parts(spec)
    assert (bar["mark"]["color"], rule["mark"]["color"]) == (theme.accent(), theme.muted())
    (spec,), _ = drawn(explain_charts.beeswarm, explained.shap, "yes")
    assert spec["encoding"]["color"]["scale"]["range"] == theme.sequential()[3:]


def test_a_beeswarm_names_the_space_and_draws_columns_without_an_order_too(explained):
    (spec,), _ = drawn(explain_charts.beeswarm, explained.shap, "yes")
    assert titles(spec, "x") == {"SHAP value (log-odds of yes)"}
    assert explain_charts._ranks(pd.Series([5.0, None, 9.0])).tolist() == [0.5, -1, 1]
    for column in (pd.Series(["a", "b"]), pd.Series([True, False]), pd.Series([True, None], dtype="boolean")):
        assert explain_charts._ranks(column).tolist() == [-1, -1]
    assert explain_charts._ranks(pd.Series(pd.to_datetime(["2021-01-01", None]))).tolist() == [1, -1]


def test_groups_have_colors_and_the_space_is_named(explained):
    (spec,), _ = drawn(explain_charts.by_group, explained.summary, "sex", "log-odds", "yes")
    assert "Mean |SHAP| (log-odds of yes)" in titles(spec, "x")
    color = parts(spec)[0]["encoding"]["color"]
    assert color["scale"]["domain"] == ["f", "m"]


def test_a_small_group_is_hollow_without_an_interval_and_named(explained):
    summary = explained.summary.copy()
    own = summary["group"] == "m"
    summary.loc[own, ["low", "high"]] = np.nan
    summary.loc[own, "n"] = 7
    (spec,), captions = drawn(explain_charts.by_group, summary, "sex", "log-odds", "yes")
    said = "Small groups, drawn hollow and without an interval: m (n = 7)."
    assert [caption.replace("\\", "") for caption in captions] == [said]
    marks = [(part["mark"]["type"], part["mark"].get("filled"), part["transform"]) for part in parts(spec)]
    wide, few = [{"filter": "!datum.small"}], [{"filter": "datum.small"}]
    assert marks == [("rule", None, wide), ("point", True, wide), ("point", False, few)]
    assert "low" not in str(parts(spec)[2]["encoding"]["tooltip"])
    (spec,), captions = drawn(explain_charts.by_group, explained.summary, "sex", "log-odds", "yes")
    assert captions == []
    assert len(parts(spec)) == 2


def test_a_waterfall_goes_from_the_base_to_the_output(explained):
    steps = waterfall(explained.shap, int(explained.shap.row_id[0]), top=3)
    (spec,), _ = drawn(explain_charts.waterfall, steps)
    assert f"from {steps.base:.3g} to {steps.output:.3g}" in spec["title"]
    assert "Log-odds of yes" in titles(spec, "x")
    (spec,), _ = drawn(explain_charts.waterfall, replace(steps, output=-8.9e-16))
    assert spec["title"].endswith(" to 0")


@pytest.mark.parametrize("kind", ["number", "date", "category", "boolean"])
def test_dependence_of_each_kind_of_column(explained, kind):
    curve = next(curve for curve in explained.dependence if curve.kind == kind)
    (spec,), (caption,) = drawn(dependence_chart.dependence, curve, "probability of yes")
    marks = {part["mark"]["type"] for part in parts(spec)}
    ordered = kind in ("number", "date")
    assert marks == ({"rect", "line", "area"} if ordered else {"circle", "rule", "point"})
    assert "Mean probability of yes" in titles(spec, "y" if ordered else "x")
    assert curve.feature in titles(spec, "x" if ordered else "y")
    assert f"{curve.missing} rows have no value" in caption.replace("\\", "")


def test_pairs_that_do_not_act_together_are_said_in_words(explained):
    (spec,), _ = drawn(explain_charts.interactions, explained.interactions, "log-odds", "yes")
    assert "Strength (log-odds of yes)" in titles(spec, "x")
    none = explained.interactions.assign(strength=0.0)
    charts, captions = drawn(explain_charts.interactions, none, "log-odds", "yes")
    assert (charts, captions) == ([], ["No interactions: the effects of single columns add up."])
    assert drawn(explain_charts.interactions, none.head(0), "log-odds", "yes")[1] == ["No pair was measured."]


def test_pairs_over_several_classes_name_none(explained):
    (spec,), _ = drawn(explain_charts.interactions, explained.interactions, "margin", None)
    assert "Strength (score before the softmax, all classes)" in titles(spec, "x")


def test_bars_of_shap_are_the_means_of_their_class_and_name_the_space(explained, monkeypatch):
    other = explained.summary.assign(**{"class": "other", "importance": 99.0})
    tables = []
    monkeypatch.setattr(explain_charts, "_bars", lambda table, x, heading: tables.append((table, x)))
    explain_charts.mean_shap(pd.concat([other, explained.summary]), "log-odds", "yes")
    ((table, title),) = tables
    assert title == "Mean |SHAP| (log-odds of yes)"
    # Straight from the values of the rows, not from the summary.
    means = pd.Series(np.abs(explained.shap.values[:, :, 0]).mean(axis=0), index=explained.shap.features)
    assert list(table["name"]) == list(means.sort_values(ascending=False, kind="stable").index)
    np.testing.assert_allclose(table["value"], means[table["name"]])
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_bars_of_shap_have_intervals(explained):
    (spec,), _ = drawn(explain_charts.mean_shap, explained.summary, "log-odds", "yes")
    assert [part["mark"]["type"] for part in parts(spec)] == ["bar", "rule"]


def test_charts_of_rows_that_were_learned_from_say_so(explained):
    (spec,), _ = drawn(explain_charts.beeswarm, explained.shap, "yes", tested=False)
    assert "rows the model was trained on" in str(spec["title"])
    assert "test" not in str(spec["title"])
    (spec,), _ = drawn(explain_charts.importance, explained.permutation, "ROC AUC", tested=False)
    assert "rows the model was trained on" in str(spec["title"])
    assert "test" not in str(spec["title"])


def test_twenty_groups_are_told_apart_by_colour_and_shape(explained):
    own = explained.summary[explained.summary["group"] == "f"]
    many = [own.assign(group=f"group {index:02d}") for index in range(20)]
    summary = pd.concat([explained.summary[explained.summary["group"].isna()], *many])
    (spec,), _ = drawn(explain_charts.by_group, summary, "sex", "log-odds", "yes")
    encoding = next(part["encoding"] for part in parts(spec) if "shape" in part["encoding"])
    looks = list(zip(encoding["color"]["scale"]["range"], encoding["shape"]["scale"]["range"], strict=True))
    assert len(looks) == len(set(looks)) == 20
