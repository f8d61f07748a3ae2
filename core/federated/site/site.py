"""One site: its table, which never leaves it, and what it remembers of a study."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from core.automl import Label
from core.errors import InputError
from core.federated._settings import MIN_COUNT
from core.federated.protocol.masks import SiteKeys
from core.jsonable import JsonObject

if TYPE_CHECKING:
    from core.features import TableEncoder
    from core.federated._settings import FederatedSettings

__all__ = ["Plan", "Site", "plain_labels", "simulated_secret", "target_codes"]

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Plan:
    """What all sites have agreed on before the first statistic.

    Parameters
    ----------
    settings : FederatedSettings
        Settings of the study.
    task : str
        Task: binary, multiclass or regression.
    labels : list or None
        Labels of the target by code; None for regression.
    columns : dict of str to str
        Type of each column that becomes features: numeric, categorical or date.
    public_keys : dict of str to str
        Public key of each site.
    """

    settings: FederatedSettings
    task: str
    labels: list[Label] | None
    columns: dict[str, str]
    public_keys: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.labels or ())


@dataclass
class Site:
    """A site of a study.

    Parameters
    ----------
    name : str
        Name of the site.
    frame : DataFrame
        Its table.
    secret : bytes, optional
        Secret of at least 32 random bytes; by default it is derived from the name, which is fit for a simulation alone.
    plain_sums : bool, default=False
        Whether it gives its own values where a sum over sites is asked for, as only a simulation may.
    train_alone : callable, optional
        Function of name, rows and plan that trains the site's own model, for a site that evaluates models.

    Attributes
    ----------
    plan : Plan or None
        Agreement of the sites.
    columns : list of dict
        Shared statistics of the features.
    encoder : TableEncoder or None
        The encoder that they make.
    scale : (float, float)
        Number that is taken from a target of numbers, and one that it is divided by then; the same at each site.
    train, test : array of int
        Positions of its rows in `frame`.
    X, y : arrays
        Encoded training rows, and their class codes or numbers.
    memory : dict
        What an algorithm keeps from one request to the next.
    answered : dict of int to str
        Digests of the questions by number: of a sum and its participants, and with the sign changed, of its masks.
    asked : dict of str to int
        Number of requests by kind.
    described : dict of str to str or None
        Feature types of the columns, as the site has said.
    loss : float or None
        Mean loss of the training rows before the present round, which does not leave the site; a simulation shows it.
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    secret: bytes = field(default=b"", repr=False)
    plain_sums: bool = False
    train_alone: Callable[[str, pd.DataFrame, Plan], Any] | None = field(default=None, repr=False)
    plan: Plan | None = field(default=None, init=False)
    encoder: TableEncoder | None = field(default=None, init=False, repr=False)
    columns: list[JsonObject] = field(default_factory=list, init=False, repr=False)
    scale: tuple[float, float] = field(default=(0.0, 1.0), init=False)
    memory: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    answered: dict[int, str] = field(default_factory=dict, init=False, repr=False)
    asked: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    described: dict[str, str] | None = field(default=None, init=False, repr=False)
    loss: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not self.secret:
            self.secret = simulated_secret(self.name)
        self.keys = SiteKeys(self.secret)

    def agree(self, plan: Plan) -> None:
        """Take a plan, and split off the test rows before anything is learned of the others."""
        from core.evaluation import split_test

        self.plan = plan
        codes = target_codes(self.frame, plan.settings.target, plan.labels)
        known = np.flatnonzero(np.isfinite(codes))
        if len(known) < (2 if self.plain_sums else 2 * MIN_COUNT):
            raise InputError(
                f"The site '{self.name}' has fewer than {2 * MIN_COUNT} rows with a '{plan.settings.target}' that "
                "can be predicted.",
                "Leave the site out.",
            )
        y = codes[known]
        targets = y if plan.labels is None else y.astype(np.intp)
        train, test = split_test(targets, plan.labels is not None, plan.settings.test_fraction, plan.settings.seed)
        self.train, self.test = known[train], known[test]
        self.y, self.y_test = targets[train], targets[test]
        self.memory.clear()

    @property
    def agreed(self) -> Plan:
        """The plan.

        Raises
        ------
        InputError
            When there is none yet.
        """
        if self.plan is None:
            raise InputError(f"The site '{self.name}' was asked before a plan was agreed on.", "Start the study again.")
        return self.plan

    def use(self, columns: list[JsonObject], encoder: TableEncoder, scale: tuple[float, float]) -> None:
        """Take the shared features and the scale of a target of numbers, and encode the training rows."""
        self.columns, self.encoder, self.scale = columns, encoder, scale
        self.X = encoder.transform(self.frame.iloc[self.train])
        self.memory.clear()

    @property
    def target(self) -> NDArray[Any]:
        """Class codes of the training rows, or their numbers in the shared scale."""
        if self.agreed.labels is not None:
            return self.y
        return np.asarray((self.y - self.scale[0]) / self.scale[1], dtype=np.float64)

    def encode(self, rows: Indices) -> NDArray[np.float32]:
        """Return encoded rows by their positions."""
        if self.encoder is None:
            raise InputError(f"The site '{self.name}' was asked before it had features.", "Start the study again.")
        return self.encoder.transform(self.frame.iloc[rows])

    def generator(self, number: int) -> np.random.Generator:
        """Return the generator of the site's random numbers of a request."""
        return np.random.default_rng(self.keys.noise_seed(number))

    def remember(self, number: int, *parts: object) -> bool:
        """Note that a request was answered; False when the same number has asked for something else before."""
        digest = _digests(parts)
        return self.answered.setdefault(number, digest) == digest

    def has_answered(self, number: int, part: object) -> bool:
        """Return whether a request was answered whose last part was this one."""
        return self.answered.get(number, "").split()[-1:] == [_digests([part])]

    def count(self, kind: str) -> int:
        """Count a request of a kind, and return the number of those so far."""
        self.asked[kind] = self.asked.get(kind, 0) + 1
        return self.asked[kind]


def simulated_secret(name: str, seed: int = 0) -> bytes:
    """Return the secret of a site of a simulation, which anyone can have."""
    return hashlib.sha256(f"simulated site {seed} {name}".encode()).digest()


def _digests(parts: Iterable[object]) -> str:
    return " ".join(hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest() for part in parts)


def target_codes(frame: pd.DataFrame, target: str, labels: Sequence[Label] | None) -> NDArray[np.float64]:
    """Return the class code or the number of each row; NaN where there is none, or a label that is not known.

    Parameters
    ----------
    frame : DataFrame
        Rows.
    target : str
        Name of the target.
    labels : sequence or None
        Labels by code; None for numbers.
    """
    column = frame[target]
    if labels is None:
        if types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype):
            column = pd.to_numeric(column, errors="coerce")
        numbers = column.to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    texts = plain_labels(column).map(str, na_action="ignore")
    codes = pd.Index([str(label) for label in labels], dtype=object).get_indexer(texts)
    return np.where(codes >= 0, codes.astype(float), np.nan)


def plain_labels(column: pd.Series) -> pd.Series:
    """Return labels as Python's own values; a whole number is an integer, whatever the other cells are.

    Examples
    --------
    >>> plain_labels(pd.Series([0.0, 1.0, None])).tolist()[:2], plain_labels(pd.Series([1.0, 2.5])).tolist()
    ([0, 1], [1, 2.5])
    """
    labels = [_plain_label(label) if known else None for label, known in zip(column, column.notna(), strict=True)]
    return pd.Series(labels, index=column.index, name=column.name, dtype=object)


def _plain_label(label: object) -> object:
    plain = label.item() if isinstance(label, np.generic) else label
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain
