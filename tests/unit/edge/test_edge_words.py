"""Words are counted as the vectoriser of the training counts them, from frames and from the cells of a file."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import read_table
from core.edge import Column, table_feeds
from core.edge.portable.cells import TEXT_MARKERS, feed, read_csv
from core.edge.portable.words import count_words
from core.features import TextFeatures, as_words

# Letters that change their number or look in lower case, marks that join, digits of other scripts, odd spaces.
_HARD = "İIıΣσςßẞŉǅﬁK\u0301\u0345\u200b\u200d\ufeff_0١²½٫'’-\u00a0\u2028\x00\x1c\x85😀大ก็ाAaé.\n"
TEXTS = st.lists(
    st.text() | st.text(alphabet=_HARD) | st.sampled_from(["Good value", "good, GOOD value!", ""]), min_size=1
)


def expected(texts, seen):
    """Return the counts of the vectoriser that learnt from texts, and its words in order."""
    features = TextFeatures(most=20).fit(as_words(pd.Series(texts, dtype=object)).to_frame())
    own = features.words_
    counted = super(type(own), own).transform(as_words(pd.Series(seen, dtype=object))).toarray()
    return counted, tuple(own.get_feature_names_out())


@given(TEXTS, st.lists(st.none() | st.text(alphabet=_HARD) | st.text(), min_size=1))
def test_counts_are_scikit_learns_of_any_text(texts, others):
    seen = [*texts, *others]
    counted, words = expected(texts, seen)
    feeds = table_feeds(pd.DataFrame({"t": pd.Series(seen, dtype=object)}), [Column("t", "text", "t", (), words)])
    assert feeds["t"].dtype == np.int32
    assert np.array_equal(feeds["t"], counted)
    cells = ["" if text is None else text for text in seen]
    bare = [text for text in cells if text.strip() not in TEXT_MARKERS]
    if bare:
        assert np.array_equal(feed({"kind": "text", "vocabulary": words}, bare), expected(texts, bare)[0])


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(["one", None, float("nan"), pd.NA, "two one", "none"], dtype=object),
        pd.Series(["one", None, "two"], dtype="str"),
        pd.Series(["one", None, "two one"], dtype="category"),
        pd.Series([1.0, None, 2.5]),
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([True, False, True]),
        pd.Series(["one", 2, None, 1.5, pd.NaT, pd.Timestamp("2024-01-02")], dtype=object),
        pd.Series([np.str_("One")]),
        pd.Series(pd.to_datetime(["2024-01-02", None])),
    ],
    ids=str,
)
def test_missing_cells_and_cells_of_other_types_are_read_as_in_training(cells):
    words = tuple(sorted({word for text in as_words(cells) for word in text.split()} | {"nan", "nat", "none", "na"}))
    feeds = table_feeds(cells.rename("t").to_frame(), [Column("t", "text", "t", (), words)])["t"]
    message = [{word: text.split().count(word) for word in words} for text in as_words(cells)]
    assert feeds.tolist() == [list(item.values()) for item in message]


def test_a_file_is_read_as_the_import_reads_it(tmp_path):
    texts = [
        "good value",
        " na ",
        "NA",
        "nan",
        "None",
        "",
        "?",
        "-",
        "  good\nfilm ",
        'say "good"',
        "n/a value",
        "=good",
    ]
    pd.DataFrame({"t": texts * 2, "n": range(24)}).to_csv(tmp_path / "rows.csv", index=False)
    frame = read_table(tmp_path / "rows.csv").frame
    words = ("film", "good", "na", "nan", "none", "say", "value")
    result = feed({"kind": "text", "vocabulary": words}, read_csv(tmp_path / "rows.csv", ["t"])["t"])
    assert np.array_equal(result, table_feeds(frame, [Column("t", "text", "t", (), words)])["t"])
    assert result.sum() > 10


def test_a_word_that_is_there_often_is_counted_in_full():
    assert count_words(["a " * 70_000, ""], ["a", "b"]).tolist() == [[70_000, 0], [0, 0]]
    assert count_words([], ["a"]).shape == (0, 1)


def test_a_columns_words_survive_and_other_columns_say_nothing_of_them():
    column = Column("t", "text", "t", (), ("film", "大小"))
    assert Column.from_dict(json.loads(json.dumps(column.to_dict()))) == column
    assert Column("n", "number", "n").to_dict() == {"name": "n", "kind": "number", "input": "n"}
    assert Column.from_dict({"name": "c", "kind": "category", "input": "c", "words": ["NA"]}).vocabulary == ()


def test_counting_loads_no_scikit_learn():
    code = (
        "import sys; from core.edge import Column, table_feeds; import pandas as pd;"
        "table_feeds(pd.DataFrame({'t': ['a']}), [Column('t', 'text', 't', (), ('a',))]);"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
