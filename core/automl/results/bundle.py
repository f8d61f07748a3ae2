"""A result as one zip that predicts on another machine: the files of the result, and the code they need."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ExportError, InputError
from core.plain_text import markdown_code, markdown_text
from core.rule_choices import RULE_FILE, RuleChoices

if TYPE_CHECKING:
    from core.datasets import Replay

__all__ = ["BUNDLE_SOURCES", "bundle", "code_requirements"]

_CORE = Path(__file__).resolve().parents[2]
_MODULES = ("*.py", "*.pyi")
BUNDLE_SOURCES = (
    "__init__.py",
    "access/*.py",
    "bounded.py",
    "bounded_child.py",
    "checked.py",
    "cluster.py",
    "errors.py",
    "favorable.py",
    "fork_server.py",
    "fork_server_main.py",
    "jsonable.py",
    "progress.py",
    "setting_errors.py",
    "setting_lists.py",
    "settings.py",
    "columns.py",
    "files.py",
    "grammar.py",
    "hidden_modules.py",
    "hosts.py",
    "node_folder.py",
    "query.py",
    "registry.py",
    "resources.py",
    "rule_choices.py",
    "plain_text.py",
    "spreadsheet.py",
    *(f"{package}/{files}" for package in ("automl/**", "datasets/**", "evaluation", "features") for files in _MODULES),
    "automl/templates/*.j2",
    "edge/__init__.py",
    "edge/__init__.pyi",
    "edge/portable/*.py",
    "finetune/__init__.py",
    "finetune/__init__.pyi",
    "finetune/label_sets.py",
    "label_cells.py",
    "models/__init__.py",
    "models/__init__.pyi",
    "models/_fields.py",
    "models/_intake.py",
    "models/_policy_applier.py",
    "models/_predictors.py",
    "models/column_report.py",
    "models/row_preparer.py",
    "models/scoring_pipeline.py",
    "models/search_download.py",
    "models/served_model.py",
    "models/written_cells.py",
)
"""Patterns below ``core`` of the code that loads a saved result and scores rows with it."""
_LAUNCHER = '''"""Predict the rows of a file: python predict.py rows.csv out.csv [--policy NAME] [--id COLUMN]"""

import sys
from pathlib import Path

from core.models.search_download import main

if __name__ == "__main__":
    main(sys.argv[1:], Path(__file__).resolve().parent)
'''
_TEMPLATES = _CORE / "automl" / "templates"
_RECIPE, _README, _POLICY = "recipe.json", "README.md", "policy-"


def code_requirements() -> list[str]:
    """Return the requirements of the bundled part of ``core`` besides the model's libraries, as lines for pip."""
    return [f"lazy-loader=={version('lazy-loader')}"]


def bundle(files: Mapping[str, Path], target: str | Path) -> None:
    """Write a saved result and what it needs into a zip.

    Parameters
    ----------
    files : mapping of str to Path
        Files that ``AutoMLResult.save`` wrote, by name.
    target : path
        Zip to write. Besides the files it holds ``predict.py`` and the part of ``core`` that loads them: it reads a
        file, repeats the steps of the preparation, and decides by the policies as this installation does.

    Raises
    ------
    ExportError
        When a step of the preparation belongs to an extension, whose code the zip does not have.
    """
    replay = _replay(files)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            if name == "requirements.txt":
                archive.writestr(f"model/{name}", _requirements(path.read_text(encoding="utf-8")))
            elif name == _README:
                archive.writestr(f"model/{name}", path.read_text(encoding="utf-8") + _about_rows(files, replay))
            else:
                archive.write(path, f"model/{name}")
        archive.writestr("model/predict.py", _LAUNCHER)
        for pattern in BUNDLE_SOURCES:
            for path in sorted(_CORE.glob(pattern)):
                archive.write(path, f"model/core/{path.relative_to(_CORE).as_posix()}")


def _requirements(text: str) -> str:
    """Return the requirements of a saved result, with those of the code, which an earlier version left out."""
    names = {line.partition("==")[0] for line in text.splitlines()}
    return text + "".join(f"{line}\n" for line in code_requirements() if line.partition("==")[0] not in names)


def _replay(files: Mapping[str, Path]) -> Replay | None:
    """Return the steps of the preparation, all of which the code of the zip can repeat."""
    from core.datasets import Replay

    if _RECIPE not in files:
        return None
    replay = Replay.from_dict(json.loads(files[_RECIPE].read_text(encoding="utf-8")))
    for step in replay.recipe.steps:
        module = type(step).__module__
        if module.partition(".")[0] != "core":
            raise ExportError(
                f"The step '{step.describe()}' belongs to the extension '{module}', which the download does not have.",
                "Use the model in this installation, or search again without this step.",
            )
    return replay


def _about_rows(files: Mapping[str, Path], replay: Replay | None) -> str:
    """Return what the README says about the steps and the policies."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    policies = {}
    for name in sorted(files):
        if name.startswith(_POLICY):
            policy = json.loads(files[name].read_text(encoding="utf-8"))
            drawn = any(len(rule) > 1 for rule in policy["rules"].values())
            policies[name] = {"columns": policy["columns"], "randomized": drawn}
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, autoescape=False
    )  # Markdown: what users named has a filter in the template
    environment.filters |= {"markdown": markdown_text, "code": markdown_code}
    return environment.get_template("rows.md.j2").render(
        steps=[] if replay is None else [step.describe() for step in replay.recipe.steps],
        inputs=[] if replay is None else sorted(replay.inputs),
        policies=policies,
        rule=_rule_in_force(files, list(policies)),
    )


def _rule_in_force(files: Mapping[str, Path], names: Sequence[str]) -> str | None:
    """Return the name of the policy that decides where none is named; None for none."""
    choices = RuleChoices.from_json(files[RULE_FILE].read_bytes()) if RULE_FILE in files else RuleChoices()
    try:
        return choices.in_force(names)
    except InputError:  # it is not clear which: predict.py asks for one
        return None
