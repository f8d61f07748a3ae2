"""What an input of a pipeline's file is given: a value, data, or the output of another node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.pipelines.errors import Position

__all__ = ["DATA_TYPES", "VALUE_TYPES", "Asset", "Data", "Given", "InputOf", "OutputOf", "Value"]

DATA_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
VALUE_TYPES = ("string", "number", "integer", "boolean")


@dataclass(frozen=True)
class Asset:
    """A reference to something that a workspace keeps under a name, such as ``azureml:customer_data@latest``.

    Parameters
    ----------
    name : str
        Name.
    version : str, optional
        Version, as ``azureml:name:3``.
    label : str, optional
        Label, as ``azureml:name@latest``.
    registry : str, optional
        Name of a registry, as ``azureml://registries/azureml/components/name/versions/1``.
    """

    name: str
    version: str | None = None
    label: str | None = None
    registry: str | None = None


@dataclass(frozen=True)
class Given:
    """A value that the file states, such as ``0.1``."""

    value: str | int | float | bool
    position: Position


@dataclass(frozen=True)
class Data:
    """Files that the file names.

    Parameters
    ----------
    type : str
        One of `DATA_TYPES`.
    text : str
        The reference, as written.
    position : Position
        Its place in the file.
    path : Path, optional
        Absolute path of local files.
    asset : Asset, optional
        Data that the workspace keeps.
    mode : str, optional
        Mode by which a cloud would provide it; it has no meaning here.
    """

    type: str
    text: str
    position: Position
    path: Path | None = None
    asset: Asset | None = None
    mode: str | None = None


@dataclass(frozen=True)
class InputOf:
    """The input of the pipeline around a node: ``${{parent.inputs.x}}``."""

    name: str
    position: Position
    mode: str | None = None


@dataclass(frozen=True)
class OutputOf:
    """The output of another node of the same pipeline: ``${{parent.jobs.J.outputs.y}}``."""

    node: str
    output: str
    position: Position
    mode: str | None = None


Value = Given | Data | InputOf | OutputOf
"""What an input is given."""
