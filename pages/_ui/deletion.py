"""Deletion: the button, the dialog that says what goes and what depends on it, and the notice that offers Undo."""

from __future__ import annotations

import streamlit as st

from core import deletion
from core.access import Role
from core.catalog import Deletion
from core.deletion import Kind
from pages._ui import address, frame, keys, numbers

__all__ = ["ask", "button", "notices"]

_NOUNS: dict[str, str] = {"version": "version of a model"}
_SHOWN = 3


def button(
    kind: Kind, row_id: str, *, name: str = "delete", after: dict[str, str] | None = None, menu: str | None = None
) -> None:
    """Draw the button that asks whether something is to be deleted.

    Parameters
    ----------
    kind : str
        Kind of the thing, as `core.deletion.delete` takes it.
    row_id : str
        Its id.
    name : str, default="delete"
        Name of the button's key, where a page has several.
    after : dict, optional
        Address on this page to open afterwards; by default the page without an object.
    menu : str, optional
        Key of the popover that the button is in, whose state is tracked: it closes, and does not cover the dialog.
    """
    may = frame.access().may(Role.EDITOR)
    help_text = None if may else "Only editors and admins of the workspace delete."
    if st.button(
        "Delete…",
        icon=":material/delete:",
        key=keys.key(name),
        disabled=not may,
        help=help_text,
        on_click=None if menu is None else lambda: st.session_state.update({menu: False}),
    ):
        ask(kind, row_id, name=name, after=after)


def ask(kind: Kind, row_id: str, *, name: str = "delete", after: dict[str, str] | None = None) -> None:
    """Open the dialog that asks whether something is to be deleted; the parameters are those of `button`."""
    dialog = st.dialog(f"Delete this {_NOUNS.get(kind, kind)}?", icon=":material/delete:")
    dialog(frame.guarded(_confirm))(kind, row_id, name, after or {})


def _confirm(kind: Kind, row_id: str, name: str, after: dict[str, str]) -> None:
    plan = deletion.plan(kind, row_id, access=frame.access())
    st.markdown(f"**{frame.plain(plan.title)}**")
    if plan.forbidden:
        frame.show_error(plan.forbidden, plan.hint)
        return
    for title, sentences in (("Deleted with it", plan.goes), ("Stays", plan.stays)):
        if sentences:
            st.markdown("\n".join([f"{title}:", "", *(f"- {frame.plain(sentence)}" for sentence in sentences)]))
    st.caption(f"You can undo this for {deletion.UNDO_S / 60:.0f} minutes. Afterwards it is gone for good.")
    if st.button("Delete", type="primary", icon=":material/delete:", key=keys.key(f"{name}-confirm")):
        deletion.delete(kind, row_id, access=frame.access())
        address.go(**after)


def notices(*types: Kind) -> None:
    """Draw what was deleted lately, each with a button that undoes it; nothing where there is none.

    Parameters
    ----------
    *types : str
        Kinds of what the page lists.
    """
    recent = deletion.undoable(types=types, access=frame.access())
    all_shown = keys.key("deleted-all")
    shown = recent if st.session_state.get(all_shown) else recent[:_SHOWN]
    if not shown:
        return
    with st.container(border=True, key=keys.key("deleted")):
        for item in shown:
            _notice(item)
        if len(recent) > len(shown):
            more = f"Show {len(recent) - len(shown):,} more"
            st.button(more, type="tertiary", key=f"{all_shown}-button", on_click=_show_all)


def _notice(item: Deletion) -> None:
    noun, title = _NOUNS.get(item.kind, item.kind), frame.plain(item.title)
    by = f" by {frame.plain(item.who)}" if item.who else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/delete: The {noun} **{title}** was deleted {numbers.ago(item.at)}{by}.", width="content"
        )
        st.space("stretch")
        if frame.access().may(Role.EDITOR):
            st.button("Undo", icon=":material/undo:", key=keys.key(f"undo-{item.id}"), on_click=_undo, args=(item,))


def _show_all() -> None:
    st.session_state[keys.key("deleted-all")] = True


def _undo(item: Deletion) -> None:
    with frame.errors_shown():
        deletion.undo(item.id, access=frame.access())
        st.toast(f"{frame.plain(item.title)} is back.", icon=":material/undo:")
