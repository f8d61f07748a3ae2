"""Names of people who sign in: what a provider says about a user, as one text that no other user has."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["person_name"]

_CHARS = 200  # as the catalog stores it

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_KEPT_CHARS = 120


def person_name(claims: Mapping[str, object], *, trusted: bool = False) -> str:
    """Return the name of a user: the address that the provider has verified, else one with the provider's own id.

    Addresses that differ in ASCII letters' case alone are one. Other letters stay as they are: some have the same small
    letter as an ASCII one (the sign for kelvin: k), and whoever got such an address would be someone else. A name that
    is too long, or has characters without a look, ends with a digest of all of it.

    Parameters
    ----------
    claims : mapping
        Claims of the provider about the user.
    trusted : bool, default=False
        Whether an address counts although the provider does not say that it has verified it.

    Examples
    --------
    >>> person_name({"email": "Ada@Example.org", "email_verified": True})
    'ada@example.org'
    >>> person_name({"email": "ada@example.org", "email_verified": "false", "sub": "7", "iss": "https://id.example.org"})
    'ada@example.org (7 of id.example.org)'
    """
    email = claims.get("email")
    address = email if isinstance(email, str) else ""
    verified = str(claims.get("email_verified")).lower() == "true"  # some providers send texts
    if address and not any(map(str.isspace, address)) and (verified or trusted):
        return _bounded(address.translate(_SMALL))
    issuer = urlsplit(str(claims.get("iss") or ""))
    own = f"{claims.get('sub')} of {issuer.netloc}{issuer.path.rstrip('/')}"  # hosts may have several issuers
    shown = address or str(claims.get("name") or "")
    return _bounded(f"{shown} ({own})" if shown else own)


def _bounded(name: str) -> str:
    if len(name) <= _CHARS and name.isprintable():
        return name
    start = "".join(filter(str.isprintable, name))[:_KEPT_CHARS]
    return f"{start} #{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}"
