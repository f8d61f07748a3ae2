"""``register_model``: a request to register a model, which the run of the step performs in its workspace."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence

from core.errors import RegistryError
from core.files import write_text
from core.pipelines.shipped.command import Arguments, log, run_component
from core.pipelines.shipped.training import ModelFolder

__all__ = ["REGISTRATION", "WORKSPACE_VARIABLE", "main"]

REGISTRATION = "registration.json"
"""File of the output: the request, and after it was performed the version."""
WORKSPACE_VARIABLE = "PLUMBLINE_REGISTERS"
"""Variable that is set where the run of a step performs the request."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("register_model", _work, argv)


def _work(arguments: Arguments) -> None:
    model = ModelFolder(arguments.path("model"))
    name, alias = (arguments.text("name") or "").strip(), arguments.text("alias")
    if not name or len(name) > 200 or not name.isprintable():
        raise RegistryError(f"'{name[:40]}' is not a usable name.", "Choose one of 1 to 200 printable characters.")
    if alias is not None and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", alias):
        raise RegistryError(f"'{alias[:40]}' is not a usable alias.", "Use up to 40 of a to z, 0 to 9 and hyphens.")
    if WORKSPACE_VARIABLE not in os.environ:
        raise RegistryError(
            "There is no workspace to register the model in.",
            "Run the pipeline on the Pipelines page, or take the step register_model out of it.",
        )
    request = {
        "folder": str(model.path.resolve()),
        "name": name,
        "alias": alias,
        "notes": arguments.text("notes") or "",
    }
    write_text(arguments.path("registration") / REGISTRATION, json.dumps(request, indent=1, ensure_ascii=False))
    log(f"The model is registered as '{name}' when this command has ended.")


if __name__ == "__main__":
    sys.exit(main())
