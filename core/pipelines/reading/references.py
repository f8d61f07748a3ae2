"""References within a file: to inputs and outputs, to assets, to files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.pipelines.bindings import Asset
from core.pipelines.errors import PipelineError, Position
from core.pipelines.reading.yaml_nodes import Scalar, position_in

__all__ = ["MACROS", "Binding", "binding_in", "is_remote", "local_text", "parse_asset"]

MACROS = ("name", "default_datastore")
"""Names that a cloud fills in: ``${{name}}``."""

_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_INPUT = re.compile(rf"^(?:parent\.)?inputs\.({_NAME})$")
_OUTPUT_OF = re.compile(rf"^(?:parent\.)?jobs\.([A-Za-z_]\w*)\.outputs\.({_NAME})$")
_OUTPUT = re.compile(rf"^(?:parent\.)?outputs\.({_NAME})$")
_REMOTE = re.compile(r"^(azureml://(?!registries/)|https?:|wasbs?:|abfss?:|adl:|s3:|gs:|hdfs:)", re.I)
_REGISTRY = re.compile(r"^azureml://registries/([^/]+)/[^/]+/([^/]+)(?:/(versions|labels)/([^/]+))?$")
_RESOURCE = re.compile(r"^azureml:/?/?subscriptions/.+/([^/]+)/versions/([^/]+)$", re.I)
_NAMED = re.compile(r"^azureml:([A-Za-z0-9_][\w.\- ]*)(?:([:@])([\w.\-]+))?$")

HINT = "Write ${{parent.inputs.NAME}}, ${{parent.jobs.NODE.outputs.NAME}} or, for an output, ${{parent.outputs.NAME}}."


@dataclass(frozen=True)
class Binding:
    """A reference to an input, an output of another node, or an output of the pipeline.

    Parameters
    ----------
    kind : {"input", "output_of", "output"}
        Target of the reference.
    name : str
        Name of the input or output.
    node : str, default=""
        Node whose output it is.
    """

    kind: Literal["input", "output_of", "output"]
    name: str
    node: str = ""


def binding_in(scalar: Scalar, *, macros: bool = False) -> Binding | None:
    """Return the binding that a text is, or None where it is none.

    Parameters
    ----------
    scalar : Scalar
        Text.
    macros : bool, default=False
        Whether ``${{name}}`` may be part of it.

    Raises
    ------
    PipelineError
        When a binding is not closed, unknown, or only a part of the text.
    """
    text = scalar.text
    if not isinstance(scalar.value, str) or "${{" not in text:
        return None
    position = position_in(scalar, "${{")
    if macros and not _without_macros(text).count("${{"):
        return None
    whole = text.strip()
    if text.count("${{") != text.count("}}") or (text.count("${{") == 1 and "}}" not in text[text.index("${{") :]):
        raise PipelineError(f"'{text[:80]}' is not closed.", "End the reference with }}.", position)
    if not (whole.startswith("${{") and whole.endswith("}}")) or text.count("${{") > 1:
        raise PipelineError(
            f"'{text[:80]}' mixes a reference with text.",
            "Give the reference alone, and join texts in the command.",
            position,
        )
    inner = whole[len("${{") : -len("}}")].strip()
    if match := _INPUT.match(inner):
        return Binding("input", match[1])
    if match := _OUTPUT_OF.match(inner):
        return Binding("output_of", match[2], match[1])
    if match := _OUTPUT.match(inner):
        return Binding("output", match[1])
    raise PipelineError(f"'{text[:80]}' is not a reference that is known.", HINT, position)


def _without_macros(text: str) -> str:
    return re.sub(r"\$\{\{\s*(" + "|".join(MACROS) + r")\s*\}\}", "", text)


def is_remote(text: str) -> bool:
    """Return whether a text names files of a cloud or the web.

    Examples
    --------
    >>> is_remote("https://example.com/x.csv"), is_remote("./x.csv"), is_remote("azureml:x:1")
    (True, False, False)
    """
    return _REMOTE.match(text) is not None


def parse_asset(text: str, position: Position) -> Asset | None:
    """Return the asset that a text names, or None where it is a path.

    Examples
    --------
    >>> parse_asset("azureml:customer_data@latest", Position(1, 1))
    Asset(name='customer_data', version=None, label='latest', registry=None)
    """
    if match := _REGISTRY.match(text):
        registry, name, kind, value = match.groups()
        is_version = kind == "versions"
        return Asset(name, value if is_version else None, None if is_version else value, registry)
    if match := _RESOURCE.match(text):
        return Asset(match[1], match[2])
    if not text.startswith("azureml:") or local_text(text) != text:
        return None
    named = _NAMED.match(text)
    if named is None:
        raise PipelineError(
            f"'{text[:80]}' is not a reference that is known.",
            "Write azureml:NAME:VERSION, azureml:NAME@latest, or the path of a file.",
            position,
        )
    name, sign, value = named.groups()
    return Asset(name, value if sign == ":" else None, value if sign == "@" else None)


def local_text(text: str) -> str:
    """Return a path without its prefix.

    Examples
    --------
    >>> local_text("file:./x.yml"), local_text("azureml:./data"), local_text("azureml:data:1")
    ('./x.yml', './data', 'azureml:data:1')
    """
    if text.startswith("file:"):
        rest = text[len("file:") :]
        return rest[2:] if rest.startswith("///") else rest
    if re.match(r"^azureml:\.{1,2}(/|$)", text):
        return text[len("azureml:") :]
    return text
