"""The result of a federated training: the model, what each site gains, every message, and what is promised."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.automl import AutoMLResult
from core.datasets import Finding
from core.errors import StorageError
from core.evaluation import Estimate
from core.federated._settings import FederatedSettings
from core.federated.algorithms.registry import ALGORITHMS
from core.federated.algorithms.state import RoundRecord
from core.federated.evidence.site_evidence import SiteEvidence
from core.federated.privacy import Privacy
from core.jsonable import JsonObject, jsonable

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["FederatedResult"]


@dataclass(frozen=True)
class FederatedResult:
    """The result of `federate`.

    Parameters
    ----------
    search : AutoMLResult
        The model as a search's result: predictions of test and training rows, metrics, features, for everything that is
        built on such results.
    settings : FederatedSettings
        Settings of the study.
    sites : list of SiteEvidence
        Evidence by site.
    overall : SiteEvidence or None
        Evidence of all test rows together; None where they are at the sites.
    rounds : list of RoundRecord
        Rounds of training.
    messages : DataFrame
        Every message: number, kind, site, round, sent and received (bytes), masked.
    privacy : Privacy
        Promises, and what is not promised.
    verdict : str
        Sentences about what federation brings.
    findings : list of Finding
        Differences between the sites' tables, and what was left out.
    elapsed_s : float
        Seconds from the first question to the model of all sites, without what it is compared with.
    """

    search: AutoMLResult
    settings: FederatedSettings
    sites: list[SiteEvidence]
    overall: SiteEvidence | None
    rounds: list[RoundRecord]
    messages: pd.DataFrame = field(repr=False)
    privacy: Privacy
    verdict: str
    findings: list[Finding]
    elapsed_s: float

    @property
    def model(self) -> Pipeline:
        """The model, on raw frames; it answers with the target's own labels."""
        return self.search.model

    @property
    def test_metrics(self) -> dict[str, Estimate]:
        """Metrics of the test rows of all sites."""
        return self.search.test_metrics

    @property
    def by_site(self) -> pd.DataFrame:
        """One row per site: rows, the metric by model, gain over the own model, distance to pooled training."""
        rows = [_row(item, self.search.metric) for item in self.sites]
        return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["site"]).set_index("site")

    def to_dict(self) -> JsonObject:
        """Return all but the model, the predictions and the messages as JSON-serializable values."""
        record: JsonObject = jsonable(
            {
                "settings": self.settings.model_dump(mode="json"),
                "algorithm_title": ALGORITHMS[self.settings.algorithm].title,
                "task": self.search.task,
                "metric": self.search.metric,
                "sites": [item.to_dict() for item in self.sites],
                "overall": None if self.overall is None else self.overall.to_dict(),
                "rounds": [asdict(record) for record in self.rounds],
                "privacy": self.privacy.to_dict(),
                "verdict": self.verdict,
                "findings": [finding.to_dict() for finding in self.findings],
                "elapsed_s": self.elapsed_s,
                "bytes": {
                    "sent": int(self.messages["sent"].sum()),
                    "received": int(self.messages["received"].sum()),
                    "messages": len(self.messages),
                },
            }
        )
        return record

    def save(self, folder: str | Path) -> None:
        """Write the result into a folder: the files of a search, ``federated.json`` and ``messages.parquet``."""
        path = Path(folder)
        self.search.save(path)
        (path / "federated.json").write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")
        self.messages.to_parquet(path / "messages.parquet")

    @classmethod
    def load(cls, folder: str | Path) -> FederatedResult:
        """Read what `save` wrote; nothing is unpickled.

        Raises
        ------
        StorageError
            When the folder has no such result.
        """
        path = Path(folder)
        if not (path / "federated.json").is_file():
            raise StorageError(f"'{path.name}' holds no federated result.", "Give the folder that `save` wrote.")
        record = json.loads((path / "federated.json").read_text(encoding="utf-8"))
        return cls(
            search=AutoMLResult.load(path),
            settings=FederatedSettings.model_validate(record["settings"]),
            sites=[SiteEvidence.from_dict(item) for item in record["sites"]],
            overall=None if record["overall"] is None else SiteEvidence.from_dict(record["overall"]),
            rounds=[RoundRecord(**item) for item in record["rounds"]],
            messages=pd.read_parquet(path / "messages.parquet"),
            privacy=Privacy.from_dict(record["privacy"]),
            verdict=record["verdict"],
            findings=[Finding.from_dict(item) for item in record["findings"]],
            elapsed_s=record["elapsed_s"],
        )


def _row(item: SiteEvidence, metric: str) -> dict[str, object]:
    row: dict[str, object] = {"site": item.site, "train": item.train, "test": item.test}
    for model in ("federated", "local", "pooled"):
        estimates = item.metrics.get(model)
        row[model] = None if estimates is None else estimates[metric].value
        row[f"{model}_low"] = None if estimates is None else estimates[metric].low
        row[f"{model}_high"] = None if estimates is None else estimates[metric].high
    for name, estimate in (("gain", item.gain), ("distance", item.distance)):
        row[name] = None if estimate is None else estimate.value
        row[f"{name}_low"] = None if estimate is None else estimate.low
        row[f"{name}_high"] = None if estimate is None else estimate.high
    return row
