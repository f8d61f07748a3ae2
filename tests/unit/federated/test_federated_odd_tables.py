"""Tables that nobody listed: labels with missing cells, huge and tiny numbers, dates far away, types that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.datasets import load_sample
from core.errors import InputError, PlumblineError, SettingsError
from core.federated import FederatedSettings, federate, join_tables
from core.federated.features.histograms import KnownCuts, ReleasedCuts, first_edges, quantiles
from core.federated.features.summary import shared_encoder, summary_table


def table_of(rows: int = 900, sites: int = 3, seed: int = 0) -> pd.DataFrame:
    """Return rows of sites with two numbers, a category, and a target of 0 and 1."""
    random = np.random.default_rng(seed)
    x, z = random.normal(size=(2, rows))
    level = random.choice(list("pqr"), rows)
    y = (x + 0.5 * z + (level == "p") + random.logistic(size=rows) > 0.3).astype(int)
    return pd.DataFrame({"x": x, "z": z, "c": level, "y": y, "s": [f"s{row % sites}" for row in range(rows)]})


def run(table: pd.DataFrame, **values: Any) -> Any:
    settings = {"target": "y", "site_column": "s", "algorithm": "linear", "folds": 0, "pooled": False}
    return federate(table, FederatedSettings(**settings | values))


@pytest.mark.parametrize("where", ["all", "one"])
def test_a_target_with_missing_cells_keeps_its_two_classes(where: str) -> None:
    table = table_of()
    table["y"] = table["y"].astype(float)
    rows = (table.index % 7 == 0) & ((table["s"] == "s1") | (where == "all"))
    table.loc[rows, "y"] = np.nan
    result = run(table, pooled=True, folds=2)
    assert result.search.labels == [0, 1]
    assert result.search.task == "binary"
    assert result.by_site["federated"].notna().all()


def test_grades_are_not_doubled_by_an_empty_cell() -> None:
    table = table_of()
    table["y"] = np.random.default_rng(0).choice([1.0, 2.0, 2.5], len(table))
    table.loc[0, "y"] = np.nan
    assert [str(label) for label in run(table, task="multiclass").search.labels] == ["1", "2", "2.5"]


@pytest.mark.parametrize("algorithm", ["linear", "boosting", "fedavg"])
@pytest.mark.parametrize("factor", [1e-11, 1e9, 1e15])
def test_the_unit_of_a_column_does_not_matter(algorithm: str, factor: float) -> None:
    values = {"algorithm": algorithm, "rounds": 20, "hidden": 0}
    plain = run(table_of(), **values)
    scaled = run(table_of().assign(x=lambda table: table["x"] * factor), **values)
    wanted = plain.test_metrics["roc_auc"].value
    assert scaled.test_metrics["roc_auc"].value == pytest.approx(wanted, abs=5e-3)


@pytest.mark.parametrize("algorithm", ["linear", "boosting", "fedavg"])
@pytest.mark.parametrize(("factor", "offset"), [(1e-9, 0.0), (1.0, 2e7), (1e12, 0.0)])
def test_the_unit_of_a_target_does_not_matter(algorithm: str, factor: float, offset: float) -> None:
    table = table_of()
    number = 2 * table["x"] + (table["c"] == "p") + np.random.default_rng(0).normal(size=len(table))
    values = {"algorithm": algorithm, "rounds": 20, "hidden": 0, "task": "regression"}
    plain = run(table.assign(y=number), **values)
    scaled = run(table.assign(y=number * factor + offset), **values)
    assert plain.test_metrics["r2"].value > 0.5
    assert scaled.test_metrics["r2"].value == pytest.approx(plain.test_metrics["r2"].value, abs=2e-3)


def test_dates_far_away_and_of_many_years_are_features() -> None:
    table = table_of()
    born = pd.Timestamp("1930-01-01") + pd.to_timedelta(np.arange(len(table)) * 30 % 22_000, unit="D")
    table["born"] = born.astype("datetime64[us]")
    table["until"] = np.where(table.index % 2, np.datetime64("9999-12-31", "us"), np.datetime64("2020-05-05", "us"))
    for algorithm in ("linear", "boosting"):
        result = run(table, algorithm=algorithm, rounds=10)
        assert "born" in result.search.features


def test_many_levels_keep_their_bins() -> None:
    random = np.random.default_rng(0)
    effects = random.normal(size=120)
    level = random.integers(0, 120, 9_000)
    y = (1.5 * effects[level] + random.logistic(size=9_000) > 0).astype(int)
    table = pd.DataFrame({"c": [f"level {code}" for code in level], "n": random.normal(size=9_000), "y": y})
    table["s"] = random.choice(["a", "b", "c"], len(table))
    result = run(table, algorithm="boosting", bins=255, rounds=60, max_leaves=31)
    assert result.test_metrics["roc_auc"].value > 0.75


def test_a_median_does_not_depend_on_another_columns_levels() -> None:
    values = np.linspace(0, 100, 256).tolist()
    number = {"name": "n", "type": "numeric", "missing": True, "values": values}
    for levels in (2, 300, 383):
        names = [f"level {code}" for code in range(levels)]
        other = {"name": "c", "type": "categorical", "missing": False, "categories": names, "counts": [10] * levels}
        table = summary_table([number, other])
        assert table["n"].median() == pytest.approx(50, abs=0.5)
        assert set(table["c"]) == set(names)
        row = pd.DataFrame({"n": [np.nan], "c": ["level 0"]})
        imputed = shared_encoder([number, other]).transform(row)
        assert imputed[0, 0] == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize(("sites", "rows"), [(2, 1_000), (20, 100), (50, 40)])
def test_small_sites_do_not_shift_the_median(sites: int, rows: int) -> None:
    random = np.random.default_rng(0)
    released = [ReleasedCuts(np.sort(random.normal(5, 2, rows)), 10) for _ in range(sites)]
    known = [KnownCuts() for _ in range(sites)]
    edges = first_edges()
    for _ in range(4):
        for site, cuts in zip(known, released, strict=True):
            site.add(edges, *cuts.release(edges))
        edges = np.unique(quantiles(known, np.linspace(0, 1, 65)))
    estimated = quantiles(known, np.array([0.25, 0.5, 0.75]))
    np.testing.assert_allclose(estimated, [3.65, 5.0, 6.35], atol=0.75 if rows < 100 else 0.3)


def test_a_regression_of_many_classes_converges_or_says_that_it_did_not() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(4_000, 25))
    y = (X @ random.normal(size=(25, 45)) + random.gumbel(size=(4_000, 45))).argmax(axis=1)
    table = pd.DataFrame(X, columns=[f"x{index}" for index in range(25)]).assign(y=y, s=np.arange(4_000) % 3)
    table["y"] = table["y"].map("class {}".format)
    result = run(table, test_fraction=0.1)
    assert not [finding for finding in result.findings if finding.check == "not_converged"]
    rows = result.search.test["row_id"]
    train = table.drop(index=rows)
    train = train[train["y"].isin(result.search.labels)]  # a label with fewer than ten rows at each site is not used
    reference = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8, max_iter=2_000))
    reference.fit(train.iloc[:, :25], train["y"])
    own = result.model.predict_proba(table.iloc[rows])
    names = {str(name): index for index, name in enumerate(reference.classes_)}
    order = [names[str(label)] for label in result.search.labels]
    np.testing.assert_allclose(own, reference.predict_proba(table.iloc[rows, :25])[:, order], atol=0.02)
    short = run(table, test_fraction=0.1, rounds=3)
    assert [finding.level for finding in short.findings if finding.check == "not_converged"] == ["alert"]


def test_without_a_test_there_is_a_model_and_no_evidence() -> None:
    result = run(table_of(), test_fraction=0.0)
    assert result.test_metrics == {}
    assert result.verdict.startswith("No site could compare")
    assert roc_auc_score(table_of()["y"], result.model.predict_proba(table_of())[:, 1]) > 0.7


def test_a_stopped_study_is_compared_with_models_that_were_trained_as_far() -> None:
    rounds = {"count": 0}

    def stop() -> bool:
        rounds["count"] += 1
        return rounds["count"] > 1

    settings = FederatedSettings(target="y", site_column="s", algorithm="boosting", rounds=200)
    result = federate(table_of(), settings, should_stop=stop)
    assert len(result.rounds) == 1
    assert result.overall.distance.value == pytest.approx(0.0, abs=0.08)
    assert result.search.stop_code == "stopped"


@pytest.mark.parametrize(
    ("change", "values", "said"),
    [
        ({"prediction": "y"}, {"target": "prediction"}, "'prediction' has a name"),
        ({}, {"sensitive_columns": ("nope",)}, "nope"),
        ({}, {"drop_columns": ("nope",)}, "nope"),
        ({}, {"metric": "r2"}, "does not fit"),
    ],
)
def test_what_a_result_cannot_have_is_refused_before_training(change: dict, values: dict, said: str) -> None:
    table = table_of().rename(columns={old: new for new, old in change.items()})
    with pytest.raises(PlumblineError, match=said):
        run(table, **values)


def test_a_site_with_few_labels_is_left_out() -> None:
    table = table_of()
    table["y"] = table["y"].astype("Int64")
    table.loc[(table["s"] == "s2") & (table.index > 20), "y"] = pd.NA
    result = run(table)
    assert [item.site for item in result.sites] == ["s0", "s1"]
    assert "'s2'" in " ".join(finding.message for finding in result.findings)


def test_labels_of_two_types_are_text() -> None:
    table = table_of()
    table["y"] = [value if row % 2 else str(value) for row, value in enumerate(table["y"].tolist())]
    assert run(table).search.labels == ["0", "1"]


def test_texts_that_are_set_to_be_numbers_lose_the_bad_cells_alone() -> None:
    table = table_of()
    table["x"] = table["x"].map("{:.6f}".format)
    table.loc[3, "x"] = "n/a"
    result = run(table, column_types={"x": "numeric"})
    assert result.test_metrics["roc_auc"].value > 0.7
    assert len(result.model.predict(table.head(5))) == 5


def test_tables_whose_types_differ_are_joined_and_it_is_said() -> None:
    frames = {
        "a": pd.DataFrame({"n": [1, 2], "b": [True, False], "d": pd.to_datetime(["2020-01-01", "2021-01-01"])}),
        "b": pd.DataFrame({"n": ["x", "2"], "b": [0.5, 1.0], "d": pd.to_datetime(["2020-01-01"] * 2, utc=True)}),
    }
    table, column, findings = join_tables(frames)
    assert column == "site"
    assert table["n"].tolist() == ["1", "2", "x", "2"]
    assert table["b"].tolist() == [1.0, 0.0, 0.5, 1.0]
    assert str(table["d"].dtype) == "datetime64[us, UTC]"
    assert [finding.column for finding in findings] == ["n", "b"]
    table.to_parquet("/dev/null")


def test_the_seed_reaches_the_sites() -> None:
    first, second, again = (
        run(table_of(), algorithm="fedavg", rounds=2, seed=seed).model.predict_proba(table_of())[:, 1]
        for seed in (0, 1, 0)
    )
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(first, again)


def test_noise_of_a_study_is_refused_for_exact_algorithms() -> None:
    with pytest.raises(SettingsError, match="has no noise"):
        FederatedSettings(target="y", algorithm="linear", noise_multiplier=1.0)
    with pytest.raises(InputError, match="two are needed"):
        run(table_of(sites=1))


def test_adult_by_country_has_the_coefficients_of_all_rows() -> None:
    table = load_sample("adult").frame.head(12_000)
    settings = FederatedSettings(target="income", site_column="native-country", algorithm="linear", folds=0)
    result = federate(table, settings)
    assert result.overall.metrics["federated"]["roc_auc"].value > 0.89
    assert result.overall.distance.value == pytest.approx(0.0, abs=0.002)
