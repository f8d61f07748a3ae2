"""``register_model``: a request to register a model, which the run of the step performs in its workspace."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import RegistryError
from core.files import write_text
from core.pipelines.shipped.command import Arguments, log, run_component
from core.pipelines.shipped.model_folder import DATA, TRAINING, ModelFolder
from core.pipelines.shipped.scored import compare_with_training, score_table
from core.pipelines.tables import read_data, write_data

__all__ = ["REGISTRATION", "WORKSPACE_VARIABLE", "main"]

REGISTRATION = "registration.json"
"""File of the output: the request, and after it was performed the version."""
WORKSPACE_VARIABLE = "PLUMBLINE_REGISTERS"
"""Variable that is set where the run of a step performs the request."""

_TESTED = "model"


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
    test_data, folder = arguments.optional_path("test_data"), arguments.path("registration")
    if test_data is None:
        log("No test_data was given: the version is registered without a test.")
    else:
        model = _tested(model, test_data, folder / _TESTED)
    request = {
        "folder": str(model.path.resolve()),
        "name": name,
        "alias": alias,
        "notes": arguments.text("notes") or "",
    }
    write_text(folder / REGISTRATION, json.dumps(request, indent=1, ensure_ascii=False))
    log(f"The model is registered as '{name}' when this command has ended.")


def _tested(model: ModelFolder, path: Path, folder: Path) -> ModelFolder:
    """Write the model with a test on rows that were held out, and return its folder.

    Its table has the training rows and then the test rows, as that of a search that held them out itself.
    """
    from core.automl import AutoMLResult, add_test

    if model.reads_text:
        raise RegistryError("A text model is registered without test_data.", "Leave test_data out.")
    table, training = read_data(path, "test"), model.training_table()
    seen = compare_with_training(model, score_table(model, table), table.part)
    log(*table.notes, seen.sentence)
    if seen.held_out is False:
        raise RegistryError(seen.sentence, "Give rows that the model did not learn from.")
    result, rows = add_test(AutoMLResult.load(model.data), training.frame, table.frame)
    log(result.verdict)
    shutil.copytree(model.data, folder / DATA)
    result.save(folder / DATA)
    (folder / TRAINING).mkdir()
    write_data(folder / TRAINING, rows, training.description)
    return ModelFolder(folder)


if __name__ == "__main__":
    sys.exit(main())
