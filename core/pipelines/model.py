"""What a pipeline file says, once it is read: records without behavior, in the order of the file.

A *component* is a step's recipe: inputs, outputs, and a command (or the nodes of a pipeline). A *node* is a use of a
component in a pipeline, with a value for each input. Nodes of nested pipelines become one flat list of *steps* in
`core.pipelines.graph`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.jsonable import JsonObject
from core.pipelines.bindings import DATA_TYPES, Data, Given, Value
from core.pipelines.errors import START, Position

__all__ = [
    "Component",
    "Node",
    "NodeKind",
    "OutputPort",
    "Pipeline",
    "PipelineSettings",
    "Port",
]

NodeKind = Literal["command", "pipeline", "automl", "sweep"]


@dataclass(frozen=True)
class Port:
    """An input of a component or of a pipeline.

    Parameters
    ----------
    name : str
        Name.
    type : str
        One of `DATA_TYPES` or `VALUE_TYPES`.
    optional : bool, default=False
        Whether it may be left out.
    default : str, int, float or bool, optional
        Value where none is given, of the port's type.
    low, high : int or float, optional
        Bounds of a number (``min`` and ``max`` in the file).
    choices : tuple, default=()
        The only values that are allowed (``enum`` in the file).
    description : str, default=""
        One sentence for users.
    position : Position
        Its place in the file.
    """

    name: str
    type: str
    optional: bool = False
    default: str | int | float | bool | None = None
    low: int | float | None = None
    high: int | float | None = None
    choices: tuple[str | int | float | bool, ...] = ()
    description: str = ""
    position: Position = START

    @property
    def is_data(self) -> bool:
        """Whether it takes files rather than a value."""
        return self.type in DATA_TYPES


@dataclass(frozen=True)
class OutputPort:
    """An output of a component, a node or a pipeline.

    Parameters
    ----------
    name : str
        Name.
    type : str, default="uri_folder"
        One of `DATA_TYPES`.
    path : str, optional
        Path that a cloud would write to; here it stays with the run.
    asset_name, asset_version : str, optional
        Name (and version) to keep it under in the workspace.
    promoted : str, optional
        Output of the pipeline around it that this one becomes: ``${{parent.outputs.z}}``.
    mode : str, optional
        Mode by which a cloud would write it.
    description : str, default=""
        One sentence for users.
    position : Position
        Its place in the file.
    """

    name: str
    type: str = "uri_folder"
    path: str | None = None
    asset_name: str | None = None
    asset_version: str | None = None
    promoted: str | None = None
    mode: str | None = None
    description: str = ""
    position: Position = START


@dataclass(frozen=True)
class Component:
    """A step's recipe.

    Parameters
    ----------
    name : str
        Name; empty where it stands inline without one.
    version : str
        Version; empty where it has none.
    kind : {"command", "pipeline", "automl"}
        Type of its work.
    inputs : dict of str to Port
        Inputs by name.
    outputs : dict of str to OutputPort
        Outputs by name.
    command : str, default=""
        Command with ``${{inputs.x}}`` and ``${{outputs.y}}``, of the kind "command".
    code : Path, optional
        Absolute path of the folder, or of the file, that the command runs in.
    environment : str, default=""
        Environment that a cloud would use, as one line; not used here.
    environment_variables : dict of str to str
        Variables of the command.
    deterministic : bool, default=True
        Whether the same inputs give the same outputs, so that its outputs may be kept.
    nodes : dict of str to Node
        Nodes by name, of the kind "pipeline".
    title, description : str, default=""
        Title and one sentence for users.
    shipped : bool, default=False
        Whether it came with the product.
    source : str, default=""
        Text of its file; empty where it stands inline.
    position : Position
        Its place in the file.
    """

    name: str
    version: str
    kind: Literal["command", "pipeline", "automl"]
    inputs: Mapping[str, Port]
    outputs: Mapping[str, OutputPort]
    command: str = ""
    code: Path | None = None
    environment: str = ""
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    deterministic: bool = True
    nodes: Mapping[str, Node] = field(default_factory=dict)
    title: str = ""
    description: str = ""
    shipped: bool = False
    source: str = ""
    position: Position = START


@dataclass(frozen=True)
class Node:
    """A use of a component in a pipeline.

    Parameters
    ----------
    name : str
        Key in ``jobs``.
    kind : {"command", "pipeline", "automl", "sweep"}
        Type of its work.
    component : Component
        Its recipe; of a sweep, that of the trials.
    inputs : dict of str to Value
        Values of the inputs; an input with a default may be missing.
    outputs : dict of str to OutputPort
        Outputs that the node says more about: those that are promoted, typed or named.
    reference : str, default=""
        Reference to the component, as written; empty where it stands inline.
    environment_variables : dict of str to str
        Variables of the command besides those of the component.
    timeout_s : float, optional
        Limit of its time (seconds).
    display_name : str, default=""
        Title for users.
    settings : dict
        The other keys of an ``automl`` or ``sweep`` node, as plain values.
    position : Position
        Its place in the file.
    """

    name: str
    kind: NodeKind
    component: Component
    inputs: Mapping[str, Value]
    outputs: Mapping[str, OutputPort]
    reference: str = ""
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    display_name: str = ""
    settings: JsonObject = field(default_factory=dict)
    position: Position = START


@dataclass(frozen=True)
class PipelineSettings:
    """Settings of a pipeline.

    Parameters
    ----------
    continue_on_step_failure : bool, default=False
        Whether steps that do not need the failed one still run.
    force_rerun : bool, default=False
        Whether every step runs, also where its outputs are kept.
    default_datastore, default_compute : str, default=""
        Places where a cloud would store and run; not used here.
    """

    continue_on_step_failure: bool = False
    force_rerun: bool = False
    default_datastore: str = ""
    default_compute: str = ""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline file, read and checked.

    Parameters
    ----------
    path : Path
        Absolute path of the file.
    text : str
        Its text.
    name, display_name, experiment_name, description : str, default=""
        The keys of the same name.
    tags : dict of str to str
        The keys of the same name.
    settings : PipelineSettings
        Settings.
    inputs : dict of str to Port
        Inputs by name.
    values : dict of str to Given or Data
        Values of the inputs that the file gives.
    outputs : dict of str to OutputPort
        Outputs by name.
    nodes : dict of str to Node
        Nodes by name, in the order of the file.
    notices : tuple of (Position, str)
        Parts of the file that have no effect here, with the reason.
    """

    path: Path
    text: str
    inputs: Mapping[str, Port]
    values: Mapping[str, Given | Data]
    outputs: Mapping[str, OutputPort]
    nodes: Mapping[str, Node]
    settings: PipelineSettings = field(default_factory=PipelineSettings)
    name: str = ""
    display_name: str = ""
    experiment_name: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[tuple[Position, str], ...] = ()

    @property
    def title(self) -> str:
        """Title for users."""
        return self.display_name or self.name or self.path.stem
