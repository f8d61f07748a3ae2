"""The license file of an edge bundle: the owner says how the model may be used, and the code has our license."""

from __future__ import annotations

__all__ = ["LICENSES", "license_text"]

LICENSES = {
    "": "Not specified",
    "Apache-2.0": "Apache License 2.0",
    "MIT": "MIT License",
    "CC-BY-4.0": "Creative Commons Attribution 4.0",
    "CC-BY-NC-4.0": "Creative Commons Attribution, non-commercial 4.0",
}
"""Licenses of models, by their SPDX identifier."""


def license_text(identifier: str) -> str:
    """Return the text of the bundle's ``LICENSE``.

    Parameters
    ----------
    identifier : str
        A key of `LICENSES`; empty when the owner did not specify one.

    Raises
    ------
    KeyError
        When there is no such license.

    Examples
    --------
    >>> print(license_text("MIT").splitlines()[0])
    The model (model.onnx, tokenizer.json): SPDX-License-Identifier: MIT (MIT License).
    """
    title = LICENSES[identifier]
    model = (
        f"SPDX-License-Identifier: {identifier} ({title})."
        if identifier
        else "no license was specified. Ask its owner before you use it or pass it on."
    )
    return f"""The model (model.onnx, tokenizer.json): {model}

The code (predict.py and the folder portable): SPDX-License-Identifier: Apache-2.0,
http://www.apache.org/licenses/LICENSE-2.0

A model of texts was trained from a base model, whose license still applies: for all-MiniLM-L6-v2 that is Apache-2.0.
The rows that a model was trained on may have terms of their own.
"""
