"""Pages show what users named through `frame.plain` wherever Streamlit reads Markdown: a look at the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ELEMENTS = {  # of Streamlit, whose first argument or label is Markdown
    *("markdown", "write", "caption", "title", "header", "subheader", "error", "warning", "info", "success", "toast"),
    *("button", "download_button", "link_button", "page_link", "form_submit_button", "checkbox", "toggle", "radio"),
    *("selectbox", "multiselect", "select_slider", "slider", "pills", "segmented_control", "text_input", "text_area"),
    *("number_input", "date_input", "file_uploader", "metric", "expander", "popover", "status", "spinner", "badge"),
}
KEYWORDS = {"help", "label", "body", "title", "text", "captions"}
ESCAPING = {"plain", "markdown_code"}
USERS = {  # last parts of names that hold what users typed or uploaded
    *(
        "name",
        "names",
        "filename",
        "file",
        "label",
        "labels",
        "column",
        "columns",
        "target",
        "group",
        "groups",
        "alias",
    ),
    *("value", "reason", "message", "hint", "error_message", "who", "own", "actual", "outcome", "subject", "text"),
}
REVIEWED = {  # words that the code has: names of parts and files, titles of fields and choices
    ("pages/_ui/badges.py", "badge.label"),
    ("pages/_ui/downloads.py", "label"),
    ("pages/_ui/result_summary.py", "label"),
    ("pages/_ui/result_summary.py", "name"),
    ("pages/_ui/run_view.py", "label"),
    ("pages/_ui/timing.py", "label"),
    ("pages/_ui/uploader.py", "label"),
    ("pages/automl/comparison.py", "label"),
    ("pages/data/calls.py", "label"),
    ("pages/data/checks.py", "fix.label"),
    ("pages/data/next_steps.py", "button.label"),
    ("pages/data/step_forms.py", "label"),
    ("pages/data/steps.py", "label"),
    ("pages/data/versions.py", "label"),
    ("pages/decide/count_input.py", "label"),
    ("pages/edge/download.py", "variant.name"),
    ("pages/fairness/audit_study.py", "label"),
    ("pages/fairness/conclusion.py", "label"),
    ("pages/fairness/criterion.py", "question.text"),
    ("pages/fairness/criterion.py", "recommendation.reason"),
    ("pages/fairness/mitigations.py", "name"),
    ("pages/fairness/report.py", "label"),
    ("pages/federated/advanced.py", "label"),
    ("pages/finetune/advanced.py", "label"),
    ("pages/finetune/estimate.py", "label"),
    ("pages/home/page.py", "text"),
    ("pages/models/card.py", "label"),
    ("pages/models/scored_file.py", "label"),
    ("pages/workspace/channels.py", "feature.reason"),
    ("pages/workspace/channels.py", "profile().name"),
    ("pages/workspace/settings.py", "label"),
}


def leaves(expression: ast.expr) -> Iterator[ast.expr]:
    """Yield what an expression of a text takes from elsewhere, but for what is escaped."""
    match expression:
        case ast.Constant():
            pass
        case ast.JoinedStr(values):
            for part in values:
                if isinstance(part, ast.FormattedValue) and part.format_spec is None:  # with a format it is a number
                    yield from leaves(part.value)
        case ast.Call(func, args):
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            if name == "join":
                for argument in args:
                    yield from leaves(argument)
        case ast.IfExp(_, body, orelse):
            yield from leaves(body)
            yield from leaves(orelse)
        case ast.BinOp(left, ast.Add(), right):
            yield from leaves(left)
            yield from leaves(right)
        case ast.BoolOp(_, values) | ast.List(values) | ast.Tuple(values):
            for value in values:
                yield from leaves(value)
        case ast.GeneratorExp(elt) | ast.ListComp(elt):
            yield from leaves(elt)
        case _:
            yield expression


def last_part(expression: ast.expr) -> str:
    match expression:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
        case ast.Subscript(_, ast.Constant(str() as name)):
            return name
    return ""


def texts(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield each expression that Streamlit reads as Markdown."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ELEMENTS:
            yield from node.args[:1]
            yield from (keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS)


def unescaped(tree: ast.AST) -> set[str]:
    """Return what a file shows of users as it is; a variable is looked up where the file assigns it."""
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names, values = (
                    (target.elts, getattr(node.value, "elts", []))
                    if isinstance(target, ast.Tuple)
                    else ([target], [node.value])
                )
                for name, value in zip(names, values, strict=False):
                    if isinstance(name, ast.Name):
                        assigned.setdefault(name.id, []).append(value)

    def bad(expression: ast.expr, seen: frozenset[str]) -> Iterator[str]:
        for leaf in leaves(expression):
            if isinstance(leaf, ast.Name) and leaf.id in assigned and leaf.id not in seen:
                for value in assigned[leaf.id]:
                    yield from bad(value, seen | {leaf.id})
            elif last_part(leaf) in USERS:
                yield ast.unparse(leaf)

    return {name for text in texts(tree) for name in bad(text, frozenset())}


def test_what_users_named_is_shown_through_plain() -> None:
    shown = set()
    for path in sorted((ROOT / "pages").rglob("*.py")):
        shown |= {(path.relative_to(ROOT).as_posix(), name) for name in unescaped(ast.parse(path.read_text()))}
    assert shown - REVIEWED == set()
    assert shown >= REVIEWED  # none is left that is not there any more


def test_an_unescaped_name_is_seen() -> None:
    seen = unescaped(
        ast.parse('named = f"x {run.title}"\nst.caption(f"{dataset.name}: {named}")\nst.info(frame.plain(name))')
    )
    assert seen == {"dataset.name"}
    assert unescaped(ast.parse('title = dataset.name\nst.button("x", help=title)')) == {"dataset.name"}
