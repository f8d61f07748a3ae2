"""Monitoring: the level of its tests, what they find, performance without labels, and speed.

    python benchmarks/monitoring.py [--rows 1000000] [--seeds 100] [--nannyml WHEEL] [--only 1,2,6]

Each of the ten checks prints PASS or FALLS SHORT. Checks 1, 2 and 5 read the data of NannyML 0.13.1 from its wheel, and
are skipped by name without it. Speed is that of `rows` rows of 50 columns against a reference, on two cores, and the
ratio to half as many rows.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.monitoring import (  # noqa: E402
    LabelBook,
    MeasuredPerformance,
    compare,
    estimate_performance,
    find_surprising_errors,
    judge_performance,
    judge_series,
    measure_performance,
    sampling_error,
    sketch,
)
from tests.unit.monitoring import monitoring_tables as tables  # noqa: E402

GOLDEN = {
    "roc_auc": 0.001811,
    "f1": 0.007549,
    "precision": 0.003759,
    "recall": 0.006546,
    "specificity": 0.003413,
    "accuracy": 0.003746,
}
"""Sampling errors of chunks of 5,000 rows of synthetic_sample, with decisions at 0.8, in NannyML's own tests."""


def judge(name: str, passed: bool, words: str) -> bool:
    """Print a check with its figures."""
    print(f"{name:58} {'PASS' if passed else 'FALLS SHORT':12} {words}", flush=True)
    return passed


def read(wheel: Path, name: str) -> pd.DataFrame:
    """Return a table of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return pd.read_csv(io.BytesIO(archive.read(f"nannyml/datasets/data/{name}.csv")))


def office(wheel: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return reference and analysis of synthetic_sample with `y_true` and `y_score`."""
    names = {"work_home_actual": "y_true", "y_pred_proba": "y_score"}
    analysis = read(wheel, "synthetic_sample_analysis").merge(read(wheel, "synthetic_sample_analysis_gt"), on="id")
    return read(wheel, "synthetic_sample_reference").rename(columns=names), analysis.rename(columns=names)


def check_1(wheel: Path) -> bool:
    reference, _ = office(wheel)
    errors = {
        name: sampling_error(name, reference["y_true"], reference["y_score"], n=5_000, threshold=0.8) for name in GOLDEN
    }
    passed = all(round(errors[name], 4) == round(value, 4) for name, value in GOLDEN.items())
    return judge("1 six sampling errors to four digits", passed, ", ".join(f"{n} {v:.6f}" for n, v in errors.items()))


def check_2(wheel: Path) -> bool:
    from sklearn.metrics import roc_auc_score

    reference, analysis = office(wheel)
    parts = [analysis.iloc[start : start + 5_000] for start in range(0, 50_000, 5_000)]
    truth = {
        "roc_auc": [roc_auc_score(part["y_true"], part["y_score"]) for part in parts],
        "accuracy": [float(((part["y_score"] >= 0.5) == part["y_true"]).mean()) for part in parts],
    }
    result = True
    for metric, limit in (("roc_auc", 0.003), ("accuracy", 0.0035)):
        began = time.perf_counter()
        chunks = estimate_performance(reference, analysis, metric=metric, chunks=10).estimates
        spent = time.perf_counter() - began
        mean_error = float(np.mean([abs(c.value - value) for c, value in zip(chunks, truth[metric], strict=True)]))
        inside = sum(c.low <= value <= c.high for c, value in zip(chunks, truth[metric], strict=True))
        words = f"mean error {mean_error:.4f} (at most {limit}), {inside} of 10 within the interval, {spent:.2f} s"
        result &= judge(f"2 estimates of ten chunks: {metric}", mean_error <= limit, words)
        if metric == "roc_auc":
            states = [judge_performance(chunk, look=look + 1).state for look, chunk in enumerate(chunks)]
            alarm = states.index("alarm") + 1 if "alarm" in states else 0
            words = (
                f"first alarm in chunk {alarm}; chunk 6: true {truth[metric][5]:.4f}, estimated {chunks[5].value:.4f}"
            )
            result &= judge("2 alarm in the first bad chunk", alarm == 6, words)
    return result


def _scored(seed: int, n: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-random.normal(0, 1.5, n)))
    frame = {
        "row_id": np.arange(n),
        "age": random.integers(18, 80, n),
        "city": random.choice(["Ulm", "Bonn", "Kiel"], n),
    }
    return pd.DataFrame({**frame, "y_score": score, "y_true": random.random(n) < score})


def check_3(seeds: int) -> bool:
    reference, fine, missed = _scored(0, 5_000), 0, 0
    count = max(10, seeds // 4)
    for seed in range(1, count + 1):
        batch = _scored(seed, 3_000)
        group = (batch["city"] == "Kiel") & (batch["age"] > 50)
        batch["y_true"] ^= group
        estimate = estimate_performance(reference, batch, metric="roc_auc")
        book, _ = LabelBook.of(batch["row_id"]).add(batch[["row_id", "y_true"]])
        measured = measure_performance(batch, book, metric="roc_auc", estimate=estimate)
        _, findings = find_surprising_errors(reference, batch)
        missed += not findings
        whole = MeasuredPerformance(**{**vars(measured), "findings": (*measured.findings, *findings)})
        fine += judge_performance(whole, look=30).state == "fine"
    words = f"fine in {fine} of {count}; the subgroup was not named in {missed}"
    return judge("3 labels flipped for a subgroup are not fine", fine == 0, words)


def check_4() -> bool:
    random = np.random.default_rng(0)
    score = random.random(3_000)
    bad = pd.DataFrame({"y_score": score, "y_true": random.random(3_000) < 4 * (score - 0.5) ** 2})
    refused = estimate_performance(bad, bad, metric="roc_auc").refused
    good = estimate_performance(_scored(0, 3_000), _scored(1, 3_000), metric="roc_auc").refused
    return judge("4 refused where calibration is bad", bool(refused) and good is None, str(refused))


def check_5(wheel: Path) -> bool:
    reference = read(wheel, "regression_synthetic_reference")
    analysis = read(wheel, "regression_synthetic_analysis").merge(
        read(wheel, "regression_synthetic_analysis_targets"), on="id"
    )
    reference, analysis = (frame.rename(columns={"y_pred": "y_score"}) for frame in (reference, analysis))
    columns = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]
    began = time.perf_counter()
    result = estimate_performance(reference, analysis, metric="mae", chunks=10, columns=columns)
    spent = time.perf_counter() - began
    if result.refused:
        return judge("5 MAE within 10% of the true one", False, result.refused)
    errors = (analysis["y_true"] - analysis["y_score"]).abs().to_numpy()
    truths = [float(part.mean()) for part in np.array_split(errors, 10)]
    gaps = [chunk.value / value - 1 for chunk, value in zip(result.estimates, truths, strict=True)]
    inside = sum(chunk.low <= value <= chunk.high for chunk, value in zip(result.estimates, truths, strict=True))
    words = (
        f"all rows {result.value / errors.mean() - 1:+.1%}, chunks {min(gaps):+.1%} to {max(gaps):+.1%}, "
        f"{inside} of 10 within the interval, {spent:.1f} s"
    )
    return judge("5 MAE within 10% of the true one", max(map(abs, gaps)) <= 0.1, words)


def check_6(seeds: int) -> bool:
    result = True
    for n in (300, 800, 2_000, 20_000):
        count = seeds if n < 20_000 else max(10, seeds // 4)
        false = []
        for seed in range(count):
            random = np.random.default_rng([seed, n])
            report = compare(tables.thirty_columns(random, n), tables.thirty_columns(random, n))
            false.append(len(report.drifted_columns))
        words = f"{np.mean(false):.3f} of 30 columns on average, {count} tables (at most 0.1)"
        result &= judge(f"6 false columns of tables without drift, n = {n:,}", np.mean(false) <= 0.1, words)
    return result


def check_7(seeds: int) -> bool:
    result = True
    for n in (800, 2_000):
        hits = []
        for seed in range(seeds):
            random = np.random.default_rng([seed, n, 1])
            before, now = tables.thirty_columns(random, n), tables.thirty_columns(random, n)
            now = tables.with_three_drifts(random, now)
            hits.append(len(set(compare(before, now).drifted_columns) & tables.DRIFTED))
        words = f"{np.mean(hits):.3f} of 3 on average (at least 2.9)"
        result &= judge(f"7 true drifts, n = {n:,}", np.mean(hits) >= 2.9, words)
    return result


def check_8(seeds: int) -> bool:
    alarms, looks = 0, 0
    series = max(20, seeds // 2)
    for seed in range(series):
        random = np.random.default_rng([seed, 8])

        def batch(rows: int, random: np.random.Generator = random) -> pd.DataFrame:
            frame = pd.DataFrame(random.normal(size=(rows, 6)), columns=list("abcdef"))
            frame["level"] = random.integers(0, 5, rows).astype(str)
            frame["few"] = random.integers(0, 4, rows)
            frame.loc[random.random(rows) < 0.1, "a"] = None
            return frame

        reference = sketch(batch(2_000))
        states = [state.state for state in judge_series([compare(reference, batch(150)) for _ in range(200)])]
        alarms += "alarm" in states
        looks += states.count("look")
    words = f"{alarms} of {series} series with an alarm; {looks / series / 200:.2%} of batches worth a look"
    return judge("8 series of 200 daily looks without drift that alarm", alarms <= 0.05 * series, words)


def check_9() -> bool:
    batch = _scored(3, 2_000)
    labels = batch[["row_id", "y_true"]].sample(frac=1, random_state=0)
    book, first = LabelBook.of(batch["row_id"]).add(labels.head(800))
    book, again = book.add(labels.head(800))
    book, rest = book.add(labels.iloc[800:])
    value = measure_performance(batch, book, metric="accuracy").measured.value
    expected = float(((batch["y_score"] >= 0.5) == batch["y_true"]).mean())
    passed = (first.new, again.new, again.repeated, rest.new) == (800, 0, 800, 1_200) and abs(value - expected) < 1e-12
    return judge("9 late labels in two parts, one part twice", passed, f"accuracy {value:.4f}; {again.sentence}")


def check_10() -> bool:
    random = np.random.default_rng(10)
    before, now = tables.mixed(random, 1_000), tables.mixed(random, 600)
    reference = sketch(before)
    same = compare(reference, sketch(now)) == compare(reference, sketch(now.sample(frac=1, random_state=0)))
    changes: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "renamed_column": lambda frame: frame.rename(columns={"income": "Income_EUR"}),
        "new_levels": lambda frame: frame.assign(plan=frame["plan"].where(frame.index > 59, "trial")),
        "unit_changed": lambda frame: frame.assign(income=frame["income"] * 1_000),
        "shuffled_labels": lambda frame: frame.assign(
            plan=frame["plan"].map({"basic": "pro", "plus": "basic", "pro": "plus"})
        ),
    }
    checks = {
        name: {finding.check for finding in compare(reference, change(now)).data_quality}
        for name, change in changes.items()
    }
    missed = [name for name, names in checks.items() if name not in names]
    words = f"the same batch again {'changes nothing' if same else 'changes the report'}; without a finding: {missed}"
    return judge("10 the same batch again; four defects by name", same and not missed, words)


def large(random: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return 25 columns of numbers, 15 of categories, 4 of flags, 4 of dates, one of texts and one of ids."""
    columns: dict[str, object] = {f"number {index}": random.normal(size=rows) for index in range(20)}
    columns |= {f"whole {index}": random.integers(0, 100, rows) for index in range(5)}
    for index in range(15):
        names = np.array([f"level {level}" for level in range(5 * (index + 1) ** 2)])
        columns[f"category {index}"] = names[random.integers(0, len(names), rows)]
    columns |= {f"flag {index}": random.random(rows) < 0.3 for index in range(4)}
    start = np.datetime64("2024-01-01")
    columns |= {f"date {index}": start + random.integers(0, 300, rows).astype("timedelta64[D]") for index in range(4)}
    texts = np.array(tables.texts(random, 20_000), dtype=object)
    columns["text"] = texts[random.integers(0, len(texts), rows)]
    columns["id"] = np.arange(rows)
    frame = pd.DataFrame(columns)
    frame.loc[random.random(rows) < 0.1, "number 0"] = np.nan
    return frame


def speed(rows: int) -> bool:
    random = np.random.default_rng(0)
    reference = sketch(large(random, rows // 2))
    compare(reference, sketch(large(random, 1_000), like=reference))  # loads SciPy
    spent, limit = {}, 10 * max(1.0, rows / 1_000_000)
    for share in (0.5, 1.0):
        frame = large(random, int(share * rows))
        began = time.perf_counter()
        batch = sketch(frame, like=reference)
        sketched = time.perf_counter() - began
        compare(reference, batch)
        spent[share] = time.perf_counter() - began
    size = len(batch.to_bytes()) / 1e6
    words = (
        f"{spent[1.0]:.1f} s (at most {limit:g}), of which the sketch {sketched:.1f} s; "
        f"half the rows {spent[0.5]:.1f} s, ratio {spent[1.0] / spent[0.5]:.2f}; the sketch has {size:.2f} MB"
    )
    return judge(f"speed: {rows:,} rows x 50 columns", spent[1.0] <= limit, words)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--nannyml", type=Path)
    parser.add_argument("--only", default="1,2,3,4,5,6,7,8,9,10,speed")
    options = parser.parse_args()
    checks: dict[str, Callable[[], bool]] = {
        "3": lambda: check_3(options.seeds),
        "4": check_4,
        "6": lambda: check_6(options.seeds),
        "7": lambda: check_7(options.seeds),
        "8": lambda: check_8(options.seeds),
        "9": check_9,
        "10": check_10,
        "speed": lambda: speed(options.rows),
    }
    for name, check in (("1", check_1), ("2", check_2), ("5", check_5)):
        if options.nannyml is not None and options.nannyml.is_file():
            checks[name] = lambda check=check: check(options.nannyml)
        elif name in options.only.split(","):
            print(f"{name} skipped: it needs the wheel of NannyML 0.13.1 (--nannyml)", flush=True)
    results = [check() for name, check in checks.items() if name in options.only.split(",")]
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
