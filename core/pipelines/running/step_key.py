"""The key of a step: code, parameters, inputs and packages that its outputs depend on, and what changed in it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping

from core.jsonable import JsonObject
from core.pipelines.graph import Step
from core.pipelines.running.contents import code_digests, packages, product_digest

__all__ = ["changes", "key_of", "parts_of"]

_SHOWN = 3
_TITLES = {
    "code": "code",
    "command": "command",
    "parameters": "parameter",
    "inputs": "input",
    "outputs": "output",
    "variables": "environment variable",
    "settings": "setting",
    "packages": "package",
}
"""Parts of a key, in the order in which their changes are named."""


def parts_of(step: Step, parameters: Mapping[str, object], inputs: Mapping[str, str]) -> JsonObject:
    """Return all that the outputs of a step depend on.

    Parameters
    ----------
    step : Step
        The step.
    parameters : dict of str to value
        Values of its inputs that are no files.
    inputs : dict of str to str
        Digests of the contents of its other inputs.
    """
    component = step.node.component
    code = code_digests(component.code)
    if component.shipped or component.kind == "automl":
        code["of Plumbline"] = product_digest()
    return {
        "code": code,
        "command": {"": component.command},
        "parameters": dict(parameters),
        "inputs": dict(inputs),
        "outputs": {name: port.type for name, port in step.outputs.items()},
        "variables": {**component.environment_variables, **step.node.environment_variables},
        "settings": dict(step.node.settings),
        "packages": packages() | {"python": sys.version.split()[0]},
    }


def key_of(parts: JsonObject) -> str:
    """Return the SHA-256 of the parts.

    Examples
    --------
    >>> key_of({"parameters": {"a": 1}})[:8]
    '01bd836c'
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def changes(parts: JsonObject, earlier: JsonObject) -> str:
    """Return what differs from an earlier execution, as a phrase.

    Examples
    --------
    >>> changes({"parameters": {"max_depth": 7}}, {"parameters": {"max_depth": 6}})
    'parameter max_depth changed from 6 to 7'
    >>> changes({"code": {"a.py": "1", "b.py": "1"}}, {"code": {"a.py": "2"}})
    'code a.py changed, code b.py is new'
    """
    lines = [line for part in _TITLES for line in _changes_of(part, parts.get(part, {}), earlier.get(part, {}))]
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return ", ".join(lines[:_SHOWN]) + more


def _changes_of(part: str, now: JsonObject, before: JsonObject) -> Iterator[str]:
    title = _TITLES[part]
    for name in sorted(now.keys() | before.keys()):
        if now.get(name) == before.get(name):
            continue
        named = f"{title} {name}".strip()
        if name not in before:
            yield f"{named} is new"
        elif name not in now:
            yield f"{named} is gone"
        elif part in ("code", "command", "inputs"):  # digests and long texts say nothing to a reader
            yield f"{named} changed"
        else:
            yield f"{named} changed from {_short(before[name])} to {_short(now[name])}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."
