"""Spellings: the same words written differently are one cluster, and nothing else is."""

from __future__ import annotations

import itertools
import time
import unicodedata
from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import Finding, check, fix_for, spelling_clusters

WORDS = st.text("abcdeéüßñжΩ", min_size=1, max_size=6)


def clusters(*values: str) -> list[set[str]]:
    return [set(cluster.values) for cluster in spelling_clusters(values)]


@pytest.mark.parametrize(
    "values",
    [
        ("DSL", "dsl", "Dsl"),
        ("Fiber optic", "fiber optic ", " Fiber  optic", "fiber\u00a0optic", "fiber-optic", "FIBER_OPTIC"),
        ("caf\u00e9", "cafe\u0301", "CAFÉ"),
        ("ＡＢＣ", "abc"),
        ("\ufb01ber", "fiber"),
        ("New\tYork", "New York", "new\u2011york", "New\u200b York"),
        ("O\u2019Brien", "O'Brien"),
        ("in 24 h", "in  24  h"),
        ("C++", "c++"),
        ("-1 unit", " -1  Unit"),
        ("Łódź", "łódź "),
    ],
)
def test_spellings_of_one_value_are_a_cluster(values: tuple[str, ...]) -> None:
    assert clusters(*values) == [set(values)]


@pytest.mark.parametrize(
    "values",
    [
        ("Iran", "Iraq"),
        ("A1", "A2"),
        ("1.5", "15", "1,5", "1 5", "1-5", "1_5"),
        ("C", "C++", "C#", "C-"),
        ("-1", "1", "+1", "\u22121", "- 1"),
        ("a.b", "ab", "a b"),
        ("fiber optic", "fiberoptic"),
        ("2\u2075", "25", "2\u2085"),
        ("\u00bd", "1/2", "12"),
        ("\u2460", "1"),
        ("T-1", "T1", "T 1", "T_1"),
        ("e", "é"),
        ("Maße", "Masse"),
        ("yes", "yes!", "yes?"),
        ("<5", "5", ">5"),
        ("", " ", "\u00a0"),
        ("10%", "10"),
    ],
)
def test_different_values_stay_apart(values: tuple[str, ...]) -> None:
    assert clusters(*values) == []


@given(st.lists(WORDS, min_size=1, max_size=3), st.data())
def test_any_spelling_of_the_same_words_joins_the_cluster(words: list[str], data: st.DataObject) -> None:
    def spell() -> str:
        case = st.sampled_from([str.lower, str.upper, str]) if "ß" not in "".join(words) else st.just(str)
        separator = st.sampled_from([" ", "  ", "-", "_", " - ", "\u00a0", "\u2011"])
        edge = st.sampled_from(["", " ", "\u00a0", "\t"])
        form = st.sampled_from(["NFC", "NFD", "NFKC"])
        parts = [data.draw(case)(word) for word in words]
        text = parts[0] + "".join(data.draw(separator) + part for part in parts[1:])
        return data.draw(edge) + unicodedata.normalize(data.draw(form), text) + data.draw(edge)  # type: ignore[arg-type]

    spellings = {spell() for _ in range(4)}
    assert clusters(*spellings) == ([spellings] if len(spellings) > 1 else [])


@given(st.lists(st.text("aAbB12 .,+-_%/²½", max_size=5), max_size=40))
def test_a_cluster_never_joins_other_letters_digits_or_signs(values: list[str]) -> None:
    def content(value: str) -> list[str]:
        """Return letters in lower case, and each digit or sign that is not between two letters, in order."""
        text = " ".join(value.split())
        between = {
            position
            for position, character in enumerate(text)
            if character in "-_ "
            and text[:position].rstrip("-_ ")[-1:].isalpha()
            and text[position:].lstrip("-_ ")[:1].isalpha()
        }
        return ["" if position in between else character.lower() for position, character in enumerate(text)]

    for group in spelling_clusters(values):
        for one, other in itertools.combinations(group.values, 2):
            assert [c for c in content(one) if c] == [c for c in content(other) if c], (one, other)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["x", "X", " x", "y", "Y", "z"]) | st.none(), max_size=60))
def test_counts_and_the_suggestion_are_those_of_the_column(cells: list[str | None]) -> None:
    expected = pd.Series(cells, dtype=object).value_counts()
    for forms in (cells, pd.Series(cells, dtype=object), expected.to_dict(), pd.Series(cells, dtype="category")):
        for cluster in spelling_clusters(forms):  # type: ignore[arg-type]
            assert dict(cluster.values) == {value: expected[value] for value in cluster.values}
            clean = pd.Series(cluster.values).groupby(lambda value: value.strip()).sum()
            assert clean[cluster.suggestion] == clean.max()
            assert cluster.suggestion not in cluster.merge
            assert set(cluster.merge.values()) == {cluster.suggestion}


def test_the_suggestion_has_no_stray_blanks_and_ties_are_settled_alike() -> None:
    cluster = spelling_clusters({"fiber  optic ": 60, "Fiber optic": 40})[0]
    assert cluster.suggestion == "fiber optic"
    assert cluster.merge == {"fiber  optic ": "fiber optic", "Fiber optic": "fiber optic"}
    for values in itertools.permutations(["dsl", "DSL", "Dsl"]):
        assert spelling_clusters(values)[0].suggestion == "DSL"


def test_many_rows_take_the_time_of_counting_them_and_many_values_no_more_each_than_few() -> None:
    def seconds(work: Callable[[], object]) -> float:
        def once() -> float:
            start = time.process_time()
            work()
            return time.process_time() - start

        return min(once() for _ in range(3))

    values = pd.Series([f"value {number}" for number in range(999)] + ["Value 1"], dtype="str")
    column = values.take(np.random.default_rng(0).integers(0, 1_000, 500_000))
    assert [set(cluster.values) for cluster in spelling_clusters(column)] == [{"value 1", "Value 1"}]
    assert seconds(lambda: spelling_clusters(column)) < 5 * seconds(column.value_counts)
    few, many = ({f"value {number}": 1 for number in range(count)} for count in (4_000, 40_000))
    assert spelling_clusters(many) == []
    assert seconds(lambda: spelling_clusters(many)) < 30 * seconds(lambda: spelling_clusters(few))


@pytest.mark.parametrize(
    ("merge", "safe"),
    [
        ({"mg": "Mg"}, None),
        ({"US": "us", "GB": "gb"}, None),
        ({"e-mail": "e mail"}, None),
        ({"\uff21": "A"}, None),
        ({"DSL ": "DSL", "x  y": "x y", "n\u00a0o": "n o"}, "same"),
        ({"e\u0301": "\u00e9", "a\u200bb": "ab"}, "same"),
        ({" dsl": "DSL", "dsl": "DSL", "mg": "Mg", "no ": "no"}, {" dsl": "dsl", "no ": "no"}),
    ],
)
def test_only_what_nobody_sees_is_removed_unasked(
    merge: dict[str, str], safe: Literal["same"] | dict[str, str] | None
) -> None:
    finding = Finding("spellings", "notice", "unit", "", values={"merge": merge})
    asked, unasked = fix_for(finding), fix_for(finding, safe_only=True)
    assert asked is not None
    assert [step.to_dict()["values"] for step in asked.steps] == [merge]
    assert asked.safe == (safe == "same")
    expected = merge if safe == "same" else safe
    assert (None if unasked is None else unasked.steps[0].to_dict()["values"]) == expected
    assert unasked is None or unasked.safe


def test_the_check_names_clusters_counts_and_what_to_merge() -> None:
    frame = pd.DataFrame(
        {
            "net": ["DSL"] * 50 + ["dsl"] * 3 + ["Fiber optic"] * 40 + ["fiber optic "] * 7,
            "city": ["Iran", "Iraq"] * 50,
            "key": [f"k{number}" for number in range(99)] + ["K1"],
            "left": ["yes"] * 60 + ["no"] * 38 + ["Yes", "NO"],
        }
    )
    findings = {item.column: item for item in check(frame, "left") if item.check == "spellings"}
    assert set(findings) == {"net", "left"}
    assert findings["net"].values == {"merge": {"dsl": "DSL", "fiber optic ": "Fiber optic"}, "cells": 10}
    for part in ("2 values", "'DSL' (50)", "'dsl' (3)", "'fiber optic ' (7)"):
        assert part in findings["net"].message
    assert findings["left"].values["merge"] == {"Yes": "yes", "NO": "no"}
