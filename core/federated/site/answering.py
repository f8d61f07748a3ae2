"""How a site answers a request: by a registry of its own, and with masks where the reply is part of a sum."""

from __future__ import annotations

import hashlib

from core.errors import InputError
from core.federated.messages import MESSAGES
from core.federated.protocol.message import Reply, Request, encode
from core.federated.site.masking import masked_reply
from core.federated.site.site import Site

__all__ = ["answer"]


def answer(site: Site, request: Request) -> Reply:
    """Return a site's reply.

    Parameters
    ----------
    site : Site
        The site.
    request : Request
        What the coordinator asks.

    Raises
    ------
    SettingsError
        When the kind of the request is unknown.
    InputError
        When the same number asked for something else before: two different values under one mask would show their
        difference.
    """
    kind = MESSAGES.require(request.kind)
    if not kind.summed or "participants" not in request.content:
        if kind.summed and not site.plain_sums and site.agreed.settings.masked and len(site.agreed.public_keys) > 1:
            raise InputError(
                f"'{site.name}' was asked for its own {kind.title.lower()}, which it gives as part of a sum alone.",
                "Start the study again.",
            )
        return kind.answer(site, request)
    digest = hashlib.sha256(encode({"kind": request.kind, **request.content}, request.arrays)).hexdigest()
    if not site.remember(request.number, digest):
        raise InputError(
            f"Request {request.number} has asked '{site.name}' for another sum before.", "Start the study again."
        )
    return masked_reply(site, request, kind.answer(site, request))
