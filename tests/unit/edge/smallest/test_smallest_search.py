"""The search on small models: what is chosen, what is refused, what is said where nothing is good enough."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edge import HeldOut, Metadata, make_variants
from core.edge.latency import LatencySettings, Percentile, measure_latency
from core.edge.latency.measuring.session import IDENTITY
from core.edge.smallest import (
    Candidate,
    CandidateReport,
    SmallestReport,
    SmallestSettings,
    SmallestTarget,
    find_smallest,
    search,
    timing,
)
from core.edge.smallest.ranking import with_front
from core.edge.variants.variants import scores
from core.errors import InputError, SettingsError, StoppedError
from core.evaluation import Estimate
from core.progress import Event
from tests.unit.edge.edge_models import text_graph
from tests.unit.edge.test_edge_vocabulary import KEPT, TEXTS, wordpiece

MS = {"fp32": 8.0, "dynamic-int8": 4.0, "fp16": 9.0, "int4": 3.0, "pruned": 8.0, "pruned-int4": 3.0}
FORMS = tuple(MS)
FAST = {"short_s": 0.1, "long_s": 0.2, "rounds": 2, "forms": FORMS}


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A text model of two classes, with the labels that it gives itself on held-out texts."""
    folder = tmp_path_factory.mktemp("smallest")
    tokenizer = wordpiece()
    tokenizer.save(str(folder / "tokenizer.json"))
    path = text_graph(folder / "model.onnx", tokenizer)
    held = TEXTS[40:240]
    y = scores(path, held, folder / "tokenizer.json").argmax(axis=1)
    return SmallestTarget(path, KEPT, HeldOut(held, y, "binary"), tokenizer=folder / "tokenizer.json")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A report of a real measurement, for what is the same in all."""
    path = tmp_path_factory.mktemp("template") / "identity.onnx"
    path.write_bytes(IDENTITY)
    return measure_latency(path, LatencySettings(warmup_s=0.01, duration_s=0.05))


@pytest.fixture(scope="module")
def made():
    """Make the same variants of the same model once."""
    known = {}

    def make(model, folder, **options):
        held_out = options["held_out"]
        key = (options["modes"], options["train"] is None, None if held_out is None else len(held_out.rows))
        if key not in known or options["should_stop"]():
            known[key] = (make_variants(model, folder, **options), folder)
        elif known[key][1] != folder:
            options["report"](Event("quantise", 0.5, "Making int4"))
            shutil.copytree(known[key][1], folder, dirs_exist_ok=True)
        return known[key][0]

    return make


@pytest.fixture
def clock(monkeypatch, template, made):
    """Latencies by the name of the variant, in place of measured ones; twice as fast on two threads."""
    calls = []

    def measure(path, settings, *, inputs, should_stop, limits):
        if should_stop():
            raise StoppedError("The measurement was stopped.", "")
        variant = Metadata.read(path).variant
        calls.append((variant, settings.intra_op_threads, settings.duration_s))
        length = 64 if inputs is None else min(inputs.max_length, 64)
        median = MS[variant] / settings.intra_op_threads * settings.batch_size**0.5 * length / 64
        random = np.random.default_rng(len(calls))
        samples = median * random.lognormal(0, 0.02, max(3, int(1e3 * settings.duration_s / median)))
        return replace(template, samples_ms=samples)

    monkeypatch.setattr(timing, "measure_latency", measure)
    monkeypatch.setattr(search, "make_variants", made)
    return calls


def test_the_smallest_that_meets_all_limits_is_the_answer(target, clock, tmp_path):
    report = find_smallest(target, tmp_path, SmallestSettings(latency_ms=5, max_loss=0.2, threads=(1, 2), **FAST))
    by_name = {variant.name: variant.size_bytes for variant in report.variants}
    met = [item for item in report.candidates if item.verdict == "met"]
    assert report.choice in met
    assert report.choice.size_bytes == min(item.size_bytes for item in met if item.contender)
    assert report.choice.size_bytes <= min(by_name[name] for name in ("fp32", "dynamic-int8", "fp16"))
    assert report.choice.candidate.threads == 1  # of the same file the fewest
    assert report.choice.judgments["latency"].verdict == "met"
    assert report.answer.sentence.startswith("int4 weights")
    assert "times smaller than fp32" in report.answer.sentence
    assert "is the smallest that is good enough" in report.answer.sentence
    assert report.answer.next_steps == ()
    assert json.loads(json.dumps(report.to_dict()))
    assert SmallestReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_what_is_measured_for_long_is_measured_in_rounds(target, clock, tmp_path):
    report = find_smallest(target, tmp_path, SmallestSettings(latency_ms=5, contenders=2, **FAST))
    long = [variant for variant, _, duration_s in clock if duration_s != 0.1]
    contenders = {item.candidate.variant for item in report.candidates if item.contender}
    assert len(long) == 2 * len(contenders) == 6  # two contenders, and full precision to compare with
    assert set(long[:3]) == set(long[3:]) == contenders
    assert "fp32" in contenders
    assert all(len(item.rounds_ms) == (2 if item.contender else 1) for item in report.candidates)


def test_the_fastest_can_be_asked_for(target, clock, tmp_path):
    chosen = SmallestSettings(minimize="latency", size_mb=10, threads=(1, 2), batch_sizes=(1, 4), **FAST)
    report = find_smallest(target, tmp_path, chosen)
    assert report.choice.row_ms == min(item.row_ms for item in report.candidates if item.contender)
    assert report.choice.candidate.threads == 2
    assert report.choice.candidate.batch_size == 4
    assert "is the fastest that is good enough" in report.answer.sentence


def test_fewer_tokens_are_compared_with_all_of_them(target, clock, tmp_path):
    report = find_smallest(target, tmp_path, SmallestSettings(lengths=(6, 32, 64), max_loss=0.05, **FAST))
    lengths = {item.candidate.length for item in report.candidates}
    assert lengths == {None, 6, 32}  # 64 are all that it reads
    short = {item.candidate.length: item for item in report.candidates if item.candidate.variant == "fp32"}
    assert short[None].loss.value == 0
    assert short[6].loss.value > 0.05
    assert short[6].judgments["loss"].verdict == "missed"
    assert short[6].median_ms < short[None].median_ms


@pytest.mark.parametrize(
    ("values", "word", "step"),
    [
        ({"latency_ms": 0.001}, "No variant meets the objective; ", "Allow "),
        ({"size_mb": 0.001}, "No variant meets the objective; ", "Allow 0.0"),
        ({"latency_ms": 5, "percentile": 99.9, "long_s": 0.05}, "", ""),
    ],
)
def test_where_nothing_is_good_enough_the_next_step_is_said(target, clock, tmp_path, values, word, step):
    report = find_smallest(target, tmp_path, SmallestSettings(**FAST | values))
    assert report.answer.sentence.startswith(word)
    if word:
        assert report.choice is None
        assert report.candidates[report.closest].verdict == "missed"
        assert report.answer.next_steps[0].startswith(step)


def test_the_allowed_limit_is_one_that_is_met(target, clock, tmp_path):
    report = find_smallest(target, tmp_path, SmallestSettings(size_mb=0.01, **FAST))
    allowed = float(report.answer.next_steps[0].split()[1])
    again = find_smallest(target, tmp_path, SmallestSettings(size_mb=allowed, **FAST))
    assert again.choice.candidate.variant == report.candidates[report.closest].candidate.variant


def test_an_unsure_loss_asks_for_more_rows(target, clock, tmp_path):
    few = replace(target, held_out=HeldOut(target.held_out.rows[:30], target.held_out.y[:30], "binary"))
    report = find_smallest(few, tmp_path, SmallestSettings(max_loss=0.01, **FAST | {"forms": ("dynamic-int8",)}))
    assert report.choice.candidate.variant == "fp32"  # it loses nothing against itself, and that is sure
    other = next(item for item in report.candidates if item.candidate.variant == "dynamic-int8")
    assert other.judgments["loss"].verdict == "unsure"


def test_refused_variants_have_their_reasons(target, clock, tmp_path):
    forms = ("static-int8-u8s8", "int4", "pruned")
    report = find_smallest(replace(target, train=None), tmp_path, SmallestSettings(**FAST | {"forms": forms}))
    reasons = {item.variant: item.reason for item in report.refused}
    assert set(reasons) == {"static-int8-u8s8", "pruned"}
    assert "needs data" in reasons["static-int8-u8s8"]
    assert {item.candidate.variant for item in report.candidates} == {"fp32", "int4"}


def test_a_search_that_is_stopped_keeps_what_it_has(target, clock, tmp_path):
    report = find_smallest(target, tmp_path, SmallestSettings(**FAST), should_stop=lambda: len(clock) > 3)
    assert report.stopped
    assert len(report.candidates) == 4
    with pytest.raises(StoppedError, match="before anything was measured"):
        find_smallest(target, tmp_path, SmallestSettings(**FAST), should_stop=lambda: True)


def test_a_file_without_rows_is_measured_with_random_ones(target, clock, tmp_path):
    report = find_smallest(SmallestTarget(target.model), tmp_path, SmallestSettings(latency_ms=5, **FAST))
    assert report.metric is None
    assert report.choice.candidate.variant == "int4"
    assert report.choice.loss is None
    assert "loss" not in report.answer.sentence
    assert {item.variant for item in report.refused} == {"pruned", "pruned-int4"}


def test_what_may_be_smaller_still_is_said(target, clock, tmp_path):
    few = replace(target, held_out=HeldOut(target.held_out.rows[:60], target.held_out.y[:60], "binary"))
    report = find_smallest(few, tmp_path, SmallestSettings(max_loss=0.04, **FAST))
    smaller = [item for item in report.candidates if item.size_bytes < report.choice.size_bytes]
    assert [item.verdict for item in smaller] != []
    assert {item.verdict for item in smaller} <= {"unsure", "missed"}
    unsure = any(item.verdict == "unsure" for item in smaller)
    assert bool(report.answer.next_steps) == unsure
    assert not unsure or "is smaller still" in report.answer.next_steps[0]


def test_progress_rises_and_names_what_is_measured(target, clock, tmp_path):
    events = []
    find_smallest(target, tmp_path, SmallestSettings(threads=(1, 2), **FAST), report=events.append)
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert {"make", "screen", "contend", "conclude"} <= {event.phase for event in events}
    assert any("int4" in event.message for event in events)


def test_what_does_not_fit_is_refused_at_once(target, tmp_path):
    plain = replace(target, held_out=None)
    with pytest.raises(SettingsError, match="no rows with true values"):
        find_smallest(plain, tmp_path, SmallestSettings(max_loss=0.1))
    with pytest.raises(SettingsError, match="does not fit binary"):
        find_smallest(target, tmp_path, SmallestSettings(metric="r2"))
    with pytest.raises(SettingsError, match="Unknown variant 'int5'"):
        SmallestSettings(forms=("int5",))
    with pytest.raises(SettingsError, match="needs target_qps"):
        SmallestSettings(scenario="server")
    with pytest.raises(SettingsError, match="percentile is 50"):
        SmallestSettings(percentile=80)


def test_a_real_measurement_from_beginning_to_end(target, tmp_path):
    chosen = SmallestSettings(latency_ms=1_000, percentile=50, **FAST | {"forms": ("int4",), "rounds": 1})
    report = find_smallest(target, tmp_path, chosen)
    assert report.choice is not None
    assert report.machine.onnxruntime
    assert all(item.requests > 11 for item in report.candidates)
    assert all(item.median_ms > 0 for item in report.candidates)


def test_a_model_that_cannot_be_measured_says_why(target, tmp_path):
    rows = ["a text"]
    broken = replace(target, rows=rows, tokenizer=tmp_path / "missing.json", held_out=None)
    with pytest.raises(InputError):
        find_smallest(broken, tmp_path, SmallestSettings(**FAST | {"forms": ("fp16",)}))


def _report(size, ms, loss):
    return CandidateReport(
        Candidate("fp32"),
        size,
        Percentile(ms, ms, ms, 100, 64, True),
        ms,
        ms,
        (ms,),
        100,
        True,
        None if loss is None else Estimate(loss, loss, loss, 100),
        None,
        {},
    )


POINTS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(-2, 2)), min_size=1, max_size=12)


@settings(deadline=None)
@given(POINTS, st.booleans())
def test_the_front_is_what_comparing_all_pairs_says(points, with_loss):
    reports = [_report(size, float(ms), loss / 100 if with_loss else None) for size, ms, loss in points]
    values = pd.DataFrame(points).to_numpy(float)[:, : 3 if with_loss else 2]
    expected = [
        not any((other <= own).all() and (other < own).any() for other in values)  # the definition
        for own in values
    ]
    assert [item.pareto for item in with_front(reports)] == expected
