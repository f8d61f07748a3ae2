"""Whether the records of the log still are as they were written."""

from __future__ import annotations

import streamlit as st

from core.access import Access
from core.catalog import AuditRecord, audit
from pages._ui import frame

__all__ = ["show"]

_AT_ONCE = 2_000
_FRESH_S = 60.0
_CHECKED = "audit-checked"


def show() -> None:
    """Say whether the chain of digests holds: at once for a short log, for a long one when it is asked for."""
    access = frame.access()
    newest = next(iter(audit.find(limit=1, access=access)), None)
    if newest is None:
        if (missing := audit.broken(access=access)) is None:
            st.info("Nothing was recorded yet.", icon=":material/history:")
        else:
            _say_broken(missing)
        st.stop()
    if newest.number > _AT_ONCE and st.session_state.get(_CHECKED) != (access.workspace, newest.number):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{newest.number:,} records.", width="content")
            if not st.button("Verify the chain", icon=":material/verified:", key="audit-verify"):
                return
        st.session_state[_CHECKED] = (access.workspace, newest.number)
    _say(_broken(newest.workspace, newest.number, _access=access), newest)


def _say(broken: int | None, newest: AuditRecord) -> None:
    if broken is None:
        st.success(_unbroken(newest.number), icon=":material/verified:")
        st.caption(
            "Each record holds the digest (a checksum) of the one before, and the newest one is kept twice, so that "
            f"none is cut off at the end. The newest digest is `{newest.digest[:16]}`. An earlier export shows that "
            "nobody wrote all of it anew: its newest digest is still here."
        )
    else:
        _say_broken(broken)


def _say_broken(number: int) -> None:
    st.error(
        "What follows in the log cannot be relied on. Compare it with an earlier export or a backup.",
        title=f"Record {number:,} was changed or removed",
        icon=":material/gpp_bad:",
    )


def _unbroken(count: int) -> str:
    if count == 1:
        return "The only record is as it was written."
    return f"The {count:,} records are an unbroken chain: none was changed, and none was removed."


@st.cache_data(ttl=_FRESH_S, max_entries=100, show_spinner="Verifying the chain…")
def _broken(workspace: str, number: int, *, _access: Access) -> int | None:
    return audit.broken(access=_access)
