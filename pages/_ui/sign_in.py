"""Sign-in with OpenID Connect: the gate before all pages, and who has signed in."""

from __future__ import annotations

import time

import streamlit as st

from core.access import person_name, profile
from core.catalog import audit, workspaces
from pages._ui import address

__all__ = ["expired", "issue", "person", "require", "sign_out", "signed_out"]

_REFUSED = "sign-in"  # web.return_address adds it to the address


def person() -> str:
    """Return the name of the signed-in user, which no other user has; an empty string without sign-in.

    It is the address that the provider says it has verified. An address that it did not verify may be someone else's,
    so the provider's own id for the user stands with it.
    """
    return "" if not st.user.get("is_logged_in") or expired() else _name()


def _name() -> str:
    return person_name(st.user, trusted=not profile().signs_in)


def expired() -> bool:
    """Return whether the provider's statement about the user has expired; Streamlit's cookie outlives it by weeks."""
    until = st.user.get("exp")
    return isinstance(until, int | float) and until < time.time()


def signed_out() -> bool:
    """Return whether the user has ended this sign-in, in another tab or browser with a copy of the cookie.

    A page that is open keeps what the cookie said when it was opened.
    """
    if not profile().signs_in or not st.user.get("is_logged_in"):
        return False
    own = workspaces.personal(_name())
    return audit.is_recorded("sign out", key=issue(), within_s=audit.SIGN_IN_S, access=own)


def require() -> None:
    """Ask for sign-in where the installation requires it, or its ``[auth]`` section offers it."""
    _record()
    offered = st.secrets.load_if_toml_exists() and "auth" in st.secrets
    ended = signed_out()
    if person() and not ended and _REFUSED in st.query_params:
        address.drop(_REFUSED)  # such as by Back
    if (person() and not ended) or not (offered or profile().signs_in):
        return
    st.title("Plumbline")
    st.write("From a table to a model you can defend.")
    if ended:
        st.info("You have signed out.", icon=":material/logout:")
    elif st.user.get("is_logged_in"):
        st.info("Your sign-in has expired.", icon=":material/schedule:")
    elif _REFUSED in st.query_params:
        st.error(
            "Try again. If it fails again, tell whoever runs this server: its log has the reason.",
            title="You could not be signed in",
            icon=":material/error:",
        )
    for name in _providers():
        label = "Sign in" if name is None else f"Sign in with {name.capitalize()}"
        st.button(
            label,
            type="primary",
            icon=":material/login:",
            on_click=st.login,
            args=() if name is None else (name,),
            key=f"home-sign-in{'' if name is None else f'-{name}'}",
        )
    st.stop()


def sign_out() -> None:
    """Sign the user out, here and where the provider offers it."""
    if profile().signs_in and (name := person()):
        audit.add("sign out", "", access=workspaces.personal(name), key=issue())
    st.logout()


def _record() -> None:
    """Record that someone has signed in, once per sign-in, or came with a sign-in that has expired."""
    if not profile().signs_in or not st.user.get("is_logged_in"):
        return
    own, issued = workspaces.personal(_name()), issue()
    if expired():
        audit.once("refused", "the sign-in has expired", key=issued, within_s=audit.SIGN_IN_S, access=own)
    else:
        verified = bool(st.user.get("email_verified"))
        audit.once("sign in", "", key=issued, within_s=audit.SIGN_IN_S, access=own, verified_address=verified)


def issue() -> str:
    """Return what tells a sign-in from the other ones of the same user: when it was issued, until when, its nonce."""
    return "-".join(str(st.user.get(name) or "")[:64] for name in ("iat", "exp", "nonce"))


def _providers() -> list[str | None]:
    """Return the names of the providers in ``[auth.NAME]``; None for one that ``[auth]`` itself describes."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return [None]
    section = st.secrets["auth"]
    named = [name for name in section if hasattr(section[name], "keys") and name != "client_kwargs"]
    return [*([None] if "client_id" in section else []), *named] or [None]
