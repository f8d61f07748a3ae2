"""All kinds of steps."""

from __future__ import annotations

from core.datasets.prepare.column_steps import Derive, Drop, Rename, Split
from core.datasets.prepare.row_steps import Filter, RemoveDuplicates, Sample
from core.datasets.prepare.step import Step
from core.datasets.prepare.table_steps import Append, Join
from core.datasets.prepare.type_step import ChangeType
from core.datasets.prepare.value_steps import Fill, Merge, Replace
from core.errors import SettingsError
from core.jsonable import JsonObject
from core.registry import Registry

__all__ = ["STEPS", "step_from_dict"]

STEPS: Registry[type[Step]] = Registry(
    "step",
    [
        ChangeType,
        Rename,
        Drop,
        Merge,
        Replace,
        Fill,
        Split,
        Derive,
        Filter,
        RemoveDuplicates,
        Sample,
        Join,
        Append,
    ],
)
"""All kinds of steps by name, in the order in which they are offered."""


def step_from_dict(values: JsonObject) -> Step:
    """Return a step from what `Step.to_dict` returned.

    Raises
    ------
    SettingsError
        When the kind of step is unknown, or a value is invalid.

    Examples
    --------
    >>> step_from_dict({"step": "drop", "columns": ["id"]}).describe()
    "Drop 'id'"
    """
    fields = dict(values)
    name = fields.pop("step", None)
    if not isinstance(name, str):
        raise SettingsError("A step has no name.", "Begin each step with step: and one of " + ", ".join(STEPS) + ".")
    return STEPS.require(name)(**fields)
