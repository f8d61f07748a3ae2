"""`ExportRecord`: what a run that exports or uploads a model leaves, as it is stored in ``edge.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import JsonValue, PlainSerializer, PlainValidator, TypeAdapter

from core.edge.export.onnx_model import OnnxModel
from core.edge.variants.variants import Variant
from core.errors import InputError
from core.registry import unknown_name

__all__ = ["ExportRecord", "ExportSource", "RowCounts"]


@dataclass(frozen=True)
class ExportSource:
    """The origin of a model.

    Parameters
    ----------
    task : str
        Kind of the run that made it; "upload" for a file of the user's.
    run, title : str, optional
        The run, and its title.
    filename, sha256 : str, optional
        Name and hash of an uploaded file.
    """

    task: str
    run: str | None = None
    title: str | None = None
    filename: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class RowCounts:
    """Number of rows that the model was trained on, and of held-out rows."""

    train: int
    held_out: int


def _read_model(values: Mapping[str, JsonValue] | OnnxModel) -> OnnxModel:
    return values if isinstance(values, OnnxModel) else OnnxModel.from_dict(values, str(values["path"]))


@dataclass(frozen=True)
class ExportRecord:
    """An exported model with its variants.

    Parameters
    ----------
    source : ExportSource
        Origin of the model.
    kind : {"table", "text", "other"}
        Kind of the model; "other" for an uploaded file, whatever its metadata say.
    task : str or None
        "binary", "multiclass", "regression" or "multilabel".
    labels : list of str or None
        The classes, in the order of the outputs.
    target : str or None
        The column that is predicted.
    fingerprint : str or None
        Fingerprint of the table that the model was trained on.
    policy : str or None
        Name of the threshold policy in the file.
    policy_digest : str or None, default=None
        Digest of the policy when the file was made, since another can be kept under the same name; None in exports of
        earlier versions.
    rows : RowCounts
        Number of rows.
    model : OnnxModel or None
        The exported file; None for an upload.
    variants : list of Variant
        The variants; the first is fp32.
    metric : str or None
        The metric that leads.
    """

    source: ExportSource
    kind: Literal["table", "text", "other"]
    task: str | None
    labels: list[str] | None
    target: str | None
    fingerprint: str | None
    policy: str | None
    rows: RowCounts
    model: Annotated[OnnxModel, PlainValidator(_read_model), PlainSerializer(OnnxModel.to_dict)] | None
    variants: list[Variant]
    metric: str | None
    policy_digest: str | None = None

    @property
    def made(self) -> list[Variant]:
        """The variants that could be made."""
        return [variant for variant in self.variants if variant.file is not None]

    def variant(self, name: str) -> Variant:
        """Return a variant that could be made.

        Raises
        ------
        InputError
            When there is none of this name.
        """
        for variant in self.made:
            if variant.name == name:
                return variant
        names = [variant.name for variant in self.made]
        raise InputError(f"There is no variant '{name}'.", unknown_name(name, names))

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the record as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> ExportRecord:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[ExportRecord]:
    return TypeAdapter(ExportRecord)
