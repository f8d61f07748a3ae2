"""Sample tables: those of the project, and those of scikit-learn."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from shutil import copyfile

from core.datasets._fingerprint import fingerprint
from core.datasets._frame import store_frame
from core.datasets._table import ReadReport, Table
from core.errors import NotFoundError
from core.jsonable import JsonObject
from core.registry import unknown_name

__all__ = ["Sample", "load_sample", "samples"]


@dataclass(frozen=True)
class Sample:
    """A sample table.

    Parameters
    ----------
    name : str
        Name that `load_sample` takes.
    title, description : str
        Title and one sentence for users.
    rows, columns : int
        Size of the table.
    target : str
        Column that is usually predicted.
    sensitive : tuple of str
        Columns that name groups of people.
    task : {"binary", "multiclass", "regression"}
        Task of the target.
    license, source : str
        License and origin.
    positive : str, default=""
        Value of a binary target that the description asks about; empty where known words decide.
    """

    name: str
    title: str
    description: str
    rows: int
    columns: int
    target: str
    sensitive: tuple[str, ...]
    task: str
    license: str
    source: str
    positive: str = ""

    @property
    def licence(self) -> str:  # codespell:ignore licence
        """License, under its earlier name."""
        return self.license

    def to_dict(self) -> JsonObject:
        """Return the sample as JSON-serializable values."""
        return asdict(self)


_SHIPPED = (
    Sample(
        "adult",
        "Adult census income",
        "Does a person earn more than 50,000 dollars a year? US census of 1994.",
        48_842,
        15,
        "income",
        ("sex", "race", "age"),
        "binary",
        "CC BY 4.0",
        "UCI Machine Learning Repository: Adult. Becker, Kohavi (1996), doi:10.24432/C5XW20",
        ">50K",
    ),
    Sample(
        "german_credit",
        "German credit risk",
        "Is a loan a good or a bad risk? Applicants of a German bank, codes spelled out.",
        1_000,
        22,
        "credit",
        ("sex", "age"),
        "binary",
        "CC BY 4.0",
        "UCI Machine Learning Repository: Statlog (German Credit Data). Hofmann (1994), doi:10.24432/C5NC77",
    ),
    Sample(
        "product_reviews",
        "Product review sentences",
        "Is a sentence about a product positive, neutral or negative? The mean opinion of 20 readers.",
        3_708,
        3,
        "sentiment",
        (),
        "multiclass",
        "MIT",
        "VADER ground truth: Hutto, Gilbert (2014), Eighth International Conference on Weblogs and Social Media",
    ),
)
_SCIKIT = "scikit-learn's datasets"
_LOADED = (
    Sample(
        "iris",
        "Iris flowers",
        "Which of three species is a flower? Four lengths in centimeters.",
        150,
        5,
        "species",
        (),
        "multiclass",
        "CC BY 4.0",
        f"{_SCIKIT}; Fisher (1936)",
    ),
    Sample(
        "wine",
        "Wine cultivars",
        "From which of three growers comes a wine? A chemical analysis.",
        178,
        14,
        "cultivar",
        (),
        "multiclass",
        "CC BY 4.0",
        f"{_SCIKIT}; Aeberhard, Forina (1991)",
    ),
    Sample(
        "breast_cancer",
        "Breast cancer",
        "Is a tumor malignant or benign? Measures of cell nuclei.",
        569,
        31,
        "diagnosis",
        (),
        "binary",
        "CC BY 4.0",
        f"{_SCIKIT}; Wolberg, Street, Mangasarian (1993)",
        "malignant",
    ),
    Sample(
        "digits",
        "Handwritten digits",
        "Which digit is it? Images of 8 by 8 pixels.",
        1_797,
        65,
        "digit",
        (),
        "multiclass",
        "CC BY 4.0",
        f"{_SCIKIT}; Alpaydin, Kaynak (1998)",
    ),
    Sample(
        "diabetes",
        "Diabetes progression",
        "How far has the disease come after a year? Ten standardized measures.",
        442,
        11,
        "progression",
        ("sex", "age"),
        "regression",
        "BSD 3-Clause",
        f"{_SCIKIT}; Efron, Hastie, Johnstone, Tibshirani (2004)",
    ),
)


def samples() -> list[Sample]:
    """Return all samples, without loading them.

    Examples
    --------
    >>> [sample.name for sample in samples()][:3]
    ['adult', 'german_credit', 'product_reviews']
    """
    return [*_SHIPPED, *_LOADED]


def load_sample(name: str, *, workdir: str | Path | None = None) -> Table:
    """Load a sample as a table.

    Parameters
    ----------
    name : str
        Name of one of `samples()`.
    workdir : path, optional
        Folder for the Parquet file; by default a new temporary folder.

    Returns
    -------
    Table

    Raises
    ------
    NotFoundError
        When the sample does not exist.

    Examples
    --------
    >>> load_sample("german_credit").rows
    1000
    """
    known = {sample.name: sample for sample in samples()}
    if name not in known:
        raise NotFoundError(f"There is no sample {name!r}.", unknown_name(name, known))
    sample = known[name]
    folder = Path(workdir) if workdir is not None else Path(tempfile.mkdtemp(prefix="plumbline-"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    if sample in _SHIPPED:
        with resources.as_file(resources.files("core.datasets") / "samples" / f"{name}.parquet") as shipped:
            copyfile(shipped, path)
    else:
        _store_from_sklearn(sample, path)
    report = ReadReport(
        rows=sample.rows,
        columns=sample.columns,
        format="parquet",
        types=_types(path),
        notices=(f"Sample: {sample.source}. {sample.license}.",),
    )
    return Table(sample.title, path, report, fingerprint(path))


def _store_from_sklearn(sample: Sample, path: Path) -> None:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{sample.name}")(as_frame=True)
    frame = bunch.frame.rename(columns={"target": sample.target})
    frame.columns = [name.replace(" (cm)", "_cm").replace(" ", "_").replace("/", "_") for name in frame.columns]
    if sample.task != "regression" and sample.name != "digits":
        frame[sample.target] = [str(bunch.target_names[code]) for code in frame[sample.target]]
    store_frame(frame, path)


def _types(path: Path) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tests = {
        "boolean": pa.types.is_boolean,
        "integer": pa.types.is_integer,
        "number": pa.types.is_floating,
        "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
    }
    return {
        field.name: next((name for name, test in tests.items() if test(field.type)), "text")
        for field in pq.read_schema(path)
    }
