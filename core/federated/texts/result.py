"""The result of a federated fine-tuning: the model, what each site gains, every message, and what is promised."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

from core.datasets import Finding
from core.errors import StorageError
from core.evaluation import Estimate
from core.federated.algorithms.state import RoundRecord
from core.federated.evidence.site_evidence import SiteEvidence
from core.federated.privacy import Privacy
from core.federated.texts.settings import FederatedTextSettings
from core.finetune import FineTuneResult
from core.jsonable import JsonObject, jsonable

__all__ = ["FederatedTextResult"]

_ADDED = {"algorithm": "lora", "aggregation": "mean"}  # what pages and cards read of every study


@dataclass(frozen=True)
class FederatedTextResult:
    """The result of `federate_texts`.

    Parameters
    ----------
    training : FineTuneResult
        The model as a training's result: predictions, metrics, for everything that is built on such results.
    settings : FederatedTextSettings
        Settings of the study.
    sites : list of SiteEvidence
        Evidence by site.
    overall : SiteEvidence
        Evidence of all test texts together.
    rounds : list of RoundRecord
        Rounds of training.
    messages : DataFrame
        Every message: number, kind, site, round, sent and received (bytes), masked.
    privacy : Privacy
        Promises, and what is not promised.
    verdict : str
        Sentences about what federation brings.
    findings : list of Finding
        Findings about the texts, and what was left out.
    elapsed_s : float
        Seconds from the first question to the model of all sites, without what it is compared with.
    """

    training: FineTuneResult
    settings: FederatedTextSettings
    sites: list[SiteEvidence]
    overall: SiteEvidence
    rounds: list[RoundRecord]
    messages: pd.DataFrame = field(repr=False)
    privacy: Privacy
    verdict: str
    findings: list[Finding]
    elapsed_s: float

    @property
    def test_metrics(self) -> dict[str, Estimate]:
        """Metrics of the test texts of all sites."""
        return self.training.test_metrics

    def to_dict(self) -> JsonObject:
        """Return all but the model, the predictions and the messages as JSON-serializable values."""
        record: JsonObject = jsonable(
            {
                "settings": self.settings.model_dump(mode="json") | _ADDED,
                "algorithm_title": "LoRA adapters of a text model",
                "task": self.training.task,
                "metric": self.training.metric,
                "sites": [item.to_dict() for item in self.sites],
                "overall": self.overall.to_dict(),
                "rounds": [asdict(item) for item in self.rounds],
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
        """Write the result into a folder: the files of a training, ``federated.json`` and ``messages.parquet``."""
        path = Path(folder)
        self.training.save(path)
        (path / "federated.json").write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")
        self.messages.to_parquet(path / "messages.parquet")

    @classmethod
    def load(cls, folder: str | Path) -> FederatedTextResult:
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
        settings = {name: value for name, value in record["settings"].items() if name not in _ADDED}
        return cls(
            training=FineTuneResult.load(path),
            settings=FederatedTextSettings.model_validate(settings),
            sites=[SiteEvidence.from_dict(item) for item in record["sites"]],
            overall=SiteEvidence.from_dict(record["overall"]),
            rounds=[RoundRecord(**item) for item in record["rounds"]],
            messages=pd.read_parquet(path / "messages.parquet"),
            privacy=Privacy.from_dict(record["privacy"]),
            verdict=record["verdict"],
            findings=[Finding.from_dict(item) for item in record["findings"]],
            elapsed_s=record["elapsed_s"],
        )
