"""Which value or which data an input accepts."""

from __future__ import annotations

from core.pipelines.bindings import VALUE_TYPES

__all__ = ["accepts", "type_of"]

FOLDER_TYPES = ("uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
_MODEL_TYPES = ("mlflow_model", "custom_model", "triton_model")

ACCEPTED = {
    "uri_file": {"uri_file", "custom_model"},
    "uri_folder": set(FOLDER_TYPES),
    "mltable": {"mltable", "uri_folder"},
    "mlflow_model": {"mlflow_model", "uri_folder", "custom_model"},
    "triton_model": {"triton_model", "uri_folder", "custom_model"},
    "custom_model": {*_MODEL_TYPES, "uri_folder", "uri_file"},
    "string": set(VALUE_TYPES),
    "number": {"number", "integer"},
    "integer": {"integer"},
    "boolean": {"boolean"},
}
"""Types that an input of a type accepts from an input or output it is bound to.

A folder is what every folder type is on disk, so that it goes both ways; which files are in it shows when it runs. A
custom model may be a file or a folder.
"""


def accepts(wanted: str, given: str) -> bool:
    """Return whether an input of a type accepts another type.

    Examples
    --------
    >>> accepts("uri_folder", "mlflow_model"), accepts("uri_folder", "uri_file")
    (True, False)
    """
    return given in ACCEPTED[wanted]


def type_of(value: str | int | float | bool) -> str:
    """Return the type of a literal.

    Examples
    --------
    >>> type_of(True), type_of(3), type_of(0.5), type_of("x")
    ('boolean', 'integer', 'number', 'string')
    """
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"
