"""Labels that come later, joined by row id: in parts, some of them twice, some of them wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.columns import require_columns
from core.jsonable import JsonObject, jsonable
from core.monitoring.cell_values import level_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelBook", "LabelDelivery", "row_keys"]

_NAMED = 20


def row_keys(ids: pd.Series) -> pd.Series:
    """Return ids of rows as texts, whole numbers without a decimal point, so that 7, 7.0 and "7" are one row.

    Examples
    --------
    >>> import pandas as pd
    >>> row_keys(pd.Series([7, 8.0])).tolist(), row_keys(pd.Series(["7", "a"])).tolist()
    (['7', '8'], ['7', 'a'])
    """
    return ids.map(level_text, na_action="ignore").astype(object)


@dataclass(frozen=True)
class LabelDelivery:
    """What one delivery of labels brought.

    Parameters
    ----------
    rows : int
        Rows of the delivery.
    new : int
        Rows of the batch that got their label.
    repeated : int
        Rows whose label was known already and is the same.
    contradictory : int
        Rows whose label was known already and is another one, or that come with two labels. The first known label
        stays, and a row with two labels gets none.
    unknown : int
        Rows whose id is not one of the batch.
    missing : int
        Rows without a label or an id.
    contradictory_ids : tuple of str, default=()
        Ids of the first 20 contradictory rows.
    """

    rows: int
    new: int
    repeated: int
    contradictory: int
    unknown: int
    missing: int
    contradictory_ids: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The delivery in a sentence, without what did not occur."""
        parts = [f"{self.new:,} of {self.rows:,} rows got their label"]
        counts = (
            (self.repeated, "had the same one already"),
            (self.contradictory, "contradict what was known, which stays"),
            (self.unknown, "have ids that are not in the batch"),
            (self.missing, "have no label or id"),
        )
        parts += [f"{count:,} {words}" for count, words in counts if count]
        return f"{'; '.join(parts)}."

    def to_dict(self) -> JsonObject:
        """Return the delivery as JSON-serializable values."""
        return dict(jsonable(vars(self)))


@dataclass(frozen=True, eq=False)
class LabelBook:
    """Labels of a batch's rows that are known so far.

    Parameters
    ----------
    ids : tuple of str
        Ids of the rows of the batch, as `row_keys` writes them.
    labels : Series
        Labels by id, of the rows that have one.

    Examples
    --------
    >>> import pandas as pd
    >>> book = LabelBook.of([1, 2, 3])
    >>> book, first = book.add(pd.DataFrame({"row_id": [1, 2], "y_true": ["yes", "no"]}))
    >>> book, second = book.add(pd.DataFrame({"row_id": [2, 3, 9], "y_true": ["yes", "yes", "no"]}))
    >>> second.sentence
    '1 of 3 rows got their label; 1 contradict what was known, which stays; 1 have ids that are not in the batch.'
    >>> book.labels.to_dict(), second.contradictory_ids
    ({'1': 'yes', '2': 'no', '3': 'yes'}, ('2',))
    """

    ids: tuple[str, ...]
    labels: pd.Series

    @classmethod
    def of(cls, ids: Iterable[object]) -> LabelBook:
        """Return a book without labels for the rows of a batch.

        Parameters
        ----------
        ids : iterable
            Ids of the rows.

        Raises
        ------
        InputError
            When an id is missing, or is that of two rows.
        """
        import pandas as pd

        from core.errors import InputError

        keys = row_keys(pd.Series(list(ids), dtype=object))
        if keys.isna().any():
            raise InputError(f"{int(keys.isna().sum()):,} rows of the batch have no id.", "Give each row an id.")
        if keys.duplicated().any():
            twice = keys[keys.duplicated()].iloc[0]
            raise InputError(f"Two rows of the batch have the id '{twice}'.", "Give each row an id of its own.")
        return cls(tuple(keys), pd.Series([], dtype=object))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def share(self) -> float:
        """Share of the rows of the batch that have a label."""
        return len(self.labels) / len(self.ids) if self.ids else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Return the known labels as a table with `row_id` and `y_true`, which a new book of the rows takes again."""
        import pandas as pd

        return pd.DataFrame({"row_id": self.labels.index.to_numpy(dtype=object), "y_true": self.labels.array})

    def add(self, delivery: pd.DataFrame) -> tuple[LabelBook, LabelDelivery]:
        """Return the book with the labels of a delivery, and what it brought.

        Parameters
        ----------
        delivery : DataFrame
            Table with `row_id` and `y_true`.

        Raises
        ------
        InputError
            When a column is missing.
        """
        import pandas as pd

        require_columns(delivery.columns, ["row_id", "y_true"], what="The delivery of labels")
        table = pd.DataFrame(
            {"key": row_keys(delivery["row_id"]).array, "label": delivery["y_true"].astype(object).array}
        )
        present = table["key"].notna() & table["label"].notna()
        known = table[present & table["key"].isin(set(self.ids))].copy()
        known["text"] = known["label"].map(level_text)
        labels_per_key = known.groupby("key")["text"].nunique()
        twofold = set(labels_per_key[labels_per_key > 1].index)
        before = self.labels.map(level_text)
        was_known = known["key"].isin(before.index)
        other = was_known & (known["key"].map(before) != known["text"])
        contradictory = known["key"].isin(twofold) & ~was_known | other
        first = known[~was_known & ~known["key"].isin(twofold)].drop_duplicates("key")
        labels = pd.concat([self.labels, first.set_index("key")["label"]]).astype(object)
        named = tuple(known.loc[contradictory, "key"].drop_duplicates().head(_NAMED))
        result = LabelDelivery(
            rows=len(table),
            new=len(first),
            repeated=len(known) - int(contradictory.sum()) - len(first),
            contradictory=int(contradictory.sum()),
            unknown=int(present.sum()) - len(known),
            missing=int((~present).sum()),
            contradictory_ids=named,
        )
        return LabelBook(self.ids, labels), result
