"""Scores rows of a table with ONNX Runtime: neither scikit-learn nor the library that trained is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.export.metadata import Metadata
from core.edge.scoring.feeds import table_feeds
from core.edge.scoring.session import load_session
from core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TableScorer"]

_ROWS = 10_000  # per run of the graph: its intermediate values take memory, too


class TableScorer:
    """Scores raw rows with an exported model.

    Parameters
    ----------
    model : path
        The ONNX file; its metadata hold everything that is needed to use it.

    Attributes
    ----------
    metadata : Metadata
        Metadata of the file.
    labels : list or None
        The classes in the order of the probabilities, as the target has them; None for a number.
    columns : tuple of Column
        Columns that the table needs.

    Raises
    ------
    InputError
        When the file cannot be loaded, or is not a model of a table that Plumbline exported.
    """

    def __init__(self, model: str | Path) -> None:
        self._session = load_session(model)
        self.metadata = Metadata.from_props(self._session.get_modelmeta().custom_metadata_map)
        if self.metadata.kind != "table":
            raise InputError(
                f"'{Path(model).name}' is not a model of a table (kind: {self.metadata.kind}).",
                "Give a file that export_onnx wrote for one.",
            )
        self.columns = self.metadata.columns
        self.labels = None if self.metadata.labels is None else list(self.metadata.labels)

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.floating]:
        """Return probabilities, float32, shape (n, classes), or numbers, shape (n, 1).

        Raises
        ------
        InputError
            When a column is missing, or a number column holds something else.
        """
        name = "prediction" if self.labels is None else "probabilities"
        return self._run(name, frame)

    def chosen(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return the labels as the graph itself answers, shape (n,): text, or int64 for whole-number labels."""
        return self._run("label", frame)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the label of each row and the probability of each class; for a number, only the number.

        Raises
        ------
        InputError
            When there are no rows, a column is missing, or a number column holds something else.
        """
        import numpy as np
        import pandas as pd

        outputs = self.outputs(frame).astype(np.float64)
        if self.labels is None:
            return pd.DataFrame({"label": outputs[:, 0]}, index=frame.index)
        names = np.empty(len(self.labels), dtype=object)
        names[:] = self.labels
        table: dict[str, pd.Series | NDArray[np.float64]] = {
            "label": pd.Series(names[outputs.argmax(axis=1)], index=frame.index).infer_objects()
        }
        for code, label in enumerate(self.labels):
            table[f"p({label})"] = outputs[:, code]
        return pd.DataFrame(table, index=frame.index)

    def _run(self, output: str, frame: pd.DataFrame) -> NDArray[Any]:
        if not len(frame):
            raise InputError("There are no rows.", "Give at least one.")
        import numpy as np

        feeds = table_feeds(frame, self.columns)
        parts = [
            self._session.run([output], {name: values[begin : begin + _ROWS] for name, values in feeds.items()})[0]
            for begin in range(0, len(frame), _ROWS)
        ]
        return np.concatenate(parts)
