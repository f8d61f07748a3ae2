"""Commands: whatever a value holds, a real shell reads it as one word, wherever it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.pipelines import StepCall  # the call that a command becomes
from core.pipelines.running.command import render

ECHO = f"{sys.executable} -S -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"
SPOTS = {
    "alone": "${{inputs.x}}",
    "in a word": "--x=${{inputs.x}}",
    "in double quotes": '"--x=${{inputs.x}}"',
    "in single quotes": "'--x=${{inputs.x}}'",
    "after a comment with an apostrophe": "# don't\n{echo} --x=${{inputs.x}}",
    "in a command within quotes": '"--x=$(printf %s ${{inputs.x}})"',
    "after quotes of all kinds": "'a\"' \"b'\" \\' --x=${{inputs.x}}",
    "after a here-string": "<<< word --x=${{inputs.x}}",
}
NASTY = (
    "a b",
    "$(touch broken)",
    "`touch broken`",
    "'; touch broken; '",
    '"; touch broken; "',
    "\\",
    "$HOME",
    "*",
    "-n",
    "",
)


def ran(template: str, value: str) -> list[str]:
    rendered = render(template.replace("{echo}", ECHO), {"inputs.x": value})
    assert value not in rendered.command or len(value) < 2, "no value is part of the command's text"
    answer = subprocess.run(
        ["bash", "-c", rendered.command], env=os.environ | rendered.variables, capture_output=True, check=True
    )
    words: list[str] = json.loads(answer.stdout)
    return words


@pytest.mark.parametrize("spot", SPOTS)
def test_a_value_is_one_word_wherever_it_stands(spot: str, tmp_path: object) -> None:
    template = SPOTS[spot] if "{echo}" in SPOTS[spot] else f"{{echo}} {SPOTS[spot]}"
    for value in NASTY:
        if "$(" in SPOTS[spot] and value.startswith("-"):
            continue
        last = ran(template, value)[-1]
        assert last == (value if spot == "alone" else f"--x={value}")
    assert not os.path.exists("broken")


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20))
@example("$'\\''")
@settings(max_examples=15, deadline=None)
def test_any_text_arrives(value: str) -> None:
    assert ran("{echo} ${{inputs.x}} \"${{inputs.x}}\" '${{inputs.x}}'", value) == [value] * 3


def test_an_optional_part_is_left_out_with_its_value() -> None:
    template = "run ${{inputs.a}} $[[--b ${{inputs.b}} --c ${{ inputs.c }}]] end"
    assert render(template, {"inputs.a": "1", "inputs.b": "2"}).command == 'run "${PLUMBLINE_VALUE_1}"  end'
    full = render(template, {"inputs.a": "1", "inputs.b": "2", "inputs.c": "3"})
    assert list(full.variables.values()) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("echo `cat ${{inputs.x}}`", "backquotes"),
        ("cat << END\n${{inputs.x}}\nEND", "here-document"),
        ("echo ${y:-${{inputs.x}}}", "braces"),
        ("echo $'${{inputs.x}}'", r"\$'\.\.\.'"),
        ("echo ${{inputs.y}}", "refers to 'inputs.y'"),
    ],
)
def test_a_value_where_no_quoting_is_safe_is_refused(template: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        render(template, {"inputs.x": "1"})


def test_a_zero_byte_is_refused() -> None:
    with pytest.raises(InputError, match="zero byte"):
        render("echo ${{inputs.x}}", {"inputs.x": "a\x00b"})


def test_a_call_is_the_same_after_json() -> None:
    call = StepCall(
        "a/b", "Title", "true", {"X": "1"}, None, "/tmp/x", {"o": "/tmp/x/o"}, {"o": "uri_folder"}, True, 2.5
    )
    assert StepCall.from_dict(json.loads(json.dumps(call.to_dict()))) == call
