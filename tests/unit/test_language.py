"""Names are nouns of the field and texts are plain English, everywhere in the project."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("app.py", "navigation.py", "core", "pages", "web", "tests", "benchmarks")
TEXTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs")

NOT_A_NAME = {"found", "told", "place", "each", "kinds"}
"""Names that do not say what a thing is; use the noun: `result`, `matches`, `index`, `column`, `types`."""

STORED = {"kinds_"}
"""Attributes of classes in stored models, which cannot be renamed."""

_COUNTED = (
    "batches|bytes|cells|columns|counts|draws|events|examples|features|files|folds|images|lines|once|operations|points|"
    "predictions|questions|requests|rows|runs|samples|seconds|steps|texts|threads|times|tokens|twice|values|words|"
    "MB|ms|milliseconds"
)
_UNITS = (
    "batch|class|column|core|day|fold|group|hour|learner|line|minute|model|page|process|query|request|row|run|second|"
    "session|step|table|text|thread|token|trial|worker"
)
PHRASES = {
    r"(?<!there\s)\bis no\b(?! longer)": "is not a ..., has no ...",
    r"\bshall\b": "should, must, or the imperative",
    r"\b(?:go|goes|gone|went) on\b(?! to)": "continue, resume",
    r"\bfor want of\b": "too few ..., without ...",
    rf"\b(?:{_COUNTED}) an? (?:{_UNITS})\b": "per",
    r"\bsomebody\b": "a user, someone",
}
"""Patterns of texts that are not plain English, and what to write instead."""

HEADLESS = re.compile("As|At|By|For|From|How|In|Of|On|That|To|What|When|Where|Which|Whom|Whose|With")
"""Words that no description of a parameter begins with: "Seed of the split", not "Of the split"."""

_SECTION = re.DOTALL | re.MULTILINE


def test_files_are_looked_at() -> None:
    assert {"core/errors.py", "pages/runs/page.py", "tests/conftest.py", "README.md"} <= set(FILES)


def _files() -> list[str]:
    paths = [
        path
        for name in (*SOURCES, *TEXTS)
        for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
        if path.suffix in (".py", ".pyi", ".md" if name in TEXTS else ".py") and path != Path(__file__)
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


FILES = _files()


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and name of all that a module names: variables, arguments, attributes, functions, classes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def texts(source: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and content of all strings and comments of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def phrases(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, wording and advice for each phrase of a text that is not plain English."""
    for pattern, advice in PHRASES.items():
        for match in re.finditer(pattern.replace(" ", r"\s+"), text, flags=re.IGNORECASE):
            yield text.count("\n", 0, match.start()), " ".join(match.group().split()), advice


def parameters(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield the line of each documented parameter, its type line and the first word of its description."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)", ast.get_docstring(node) or "", _SECTION)
            for entry in re.finditer(r"^(\w[^\n]*)\n(?: {4}(\S+)|)", section.group(1) if section else "", re.MULTILINE):
                yield node.lineno, entry.group(1), entry.group(2) or ""


def defaults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line of each function and a parameter of it that has a default."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            positional = [*arguments.posonlyargs, *arguments.args]
            for argument in positional[len(positional) - len(arguments.defaults) :]:
                yield node.lineno, argument.arg
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
                if default is not None:
                    yield node.lineno, argument.arg


def docstring_complaints(name: str, tree: ast.AST) -> list[str]:
    """Return parameters whose description lacks its head word, or whose type line lacks the default."""
    lines = []
    with_default = set(defaults(tree))
    for line, declared, first_word in parameters(tree):
        if HEADLESS.fullmatch(first_word.strip(",")):
            lines.append(
                f"{name}:{line}: parameter {declared!r} begins with {first_word!r}: begin with a noun or a verb"
            )
        stated = "default" in declared or "optional" in declared
        for parameter in declared.split(":")[0].split(","):
            if (line, parameter.strip()) in with_default and not stated:
                lines.append(f"{name}:{line}: parameter {declared!r} does not say its default")
    return lines


def complaints(name: str) -> list[str]:
    """Return what is to be rewritten in a file, as ``path:line: what``."""
    source = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".md"):
        return [f"{name}:{line + 1}: {words!r}: {advice}" for line, words, advice in phrases(source)]
    tree = ast.parse(source)
    lines = [
        f"{name}:{line}: name {word!r}"
        for line, word in names(tree)
        if word.strip("_") in NOT_A_NAME and word not in STORED
    ]
    for first, text in texts(source, tree):
        lines += [f"{name}:{first + line}: {words!r}: {advice}" for line, words, advice in phrases(text)]
    return lines + docstring_complaints(name, tree)


@pytest.mark.parametrize("folder", sorted({Path(name).parent.as_posix() for name in FILES}))
def test_names_and_texts_are_plain_english(folder: str) -> None:
    names = [name for name in FILES if Path(name).parent.as_posix() == folder]
    assert [line for name in names for line in complaints(name)] == []


def main() -> None:
    """Print all complaints: ``python -m tests.unit.test_language [path ...]``."""
    import sys

    wanted = sys.argv[1:] or [""]
    for name in FILES:
        if any(name.startswith(path) for path in wanted):
            for line in complaints(name):
                sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
