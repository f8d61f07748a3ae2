"""Commands that were never approved here: shown with their code, and approved by an explicit press."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.catalog import approvals
from core.pipelines import Command
from pages._ui import frame, numbers
from pages.pipelines.reading import CodeFile, Reading

__all__ = ["show"]

_LANGUAGES = {
    ".py": "python",
    ".sh": "bash",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".json": "json",
    ".r": "r",
    ".sql": "sql",
}


def show(reading: Reading) -> bool:
    """Draw the commands that wait for an approval, and return whether there is none."""
    access = frame.access()
    known = approvals.approved([command.digest for command, _ in reading.commands], access=access)
    waiting = [(command, code) for command, code in reading.commands if command.digest not in known]
    if not waiting:
        return True
    count = "1 command" if len(waiting) == 1 else f"{len(waiting)} commands"
    with st.container(border=True, key="pipelines-approval"):
        st.warning(
            "They run as programs on this machine, with the rights of the server. Look at each command and its files.",
            title=f"{count} of this pipeline {'was' if len(waiting) == 1 else 'were'} never approved here",
            icon=":material/shield_person:",
        )
        for command, code in waiting:
            _command(command, code)
        st.button(
            f"Approve {'this command' if len(waiting) == 1 else f'these {count}'}",
            icon=":material/verified_user:",
            key="pipelines-approve",
            on_click=_approve,
            args=([command.digest for command, _ in waiting],),
            help="Stored with your name. A changed command or file asks again.",
        )
    return False


def _approve(digests: list[str]) -> None:
    with frame.errors_shown():
        approvals.approve(digests, access=frame.access())


def _command(command: Command, code: list[CodeFile]) -> None:
    st.markdown(f"**{frame.plain(command.step)}**")
    st.code(command.command, language="bash", wrap_lines=True)
    for file in code:
        with st.expander(f"{frame.plain(file.name)} · {numbers.size(file.size_bytes)}", icon=":material/description:"):
            if file.text is None:
                st.caption("It cannot be shown: it is binary, or too long. Download the pipeline to look at it.")
            else:
                st.code(file.text, language=_LANGUAGES.get(Path(file.name).suffix.lower()), height=320)
