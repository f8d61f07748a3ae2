"""What a site does about sums: it masks its values, and gives away the masks of a sum once, for one set of sites."""

from __future__ import annotations

import numpy as np

from core.errors import InputError
from core.federated.protocol.fixed_point import to_fixed
from core.federated.protocol.masks import mask
from core.federated.protocol.message import Reply, Request
from core.federated.site.site import Site

__all__ = ["answer_unmask", "masked_reply"]


def masked_reply(site: Site, request: Request, reply: Reply) -> Reply:
    """Return a reply whose arrays are masked, for the sites that the request names."""
    keys, named = site.agreed.public_keys, [str(name) for name in request.content["participants"]]
    others = [name for name in named if name != site.name]
    known = set(named) <= set(keys) and len(set(named)) == len(named) and len(others) + 1 == len(named)
    if not known or len(named) < _enough(site) or keys.get(site.name) != site.keys.public:
        raise InputError(
            f"A sum was asked for with sites that '{site.name}' has no keys of, with too few, or without itself.",
            "Start the study again.",
        )
    values = np.concatenate([np.asarray(array, dtype=np.float64).ravel() for array in reply.arrays.values()])
    masked = mask(to_fixed(values), site.keys, request.number, [keys[other] for other in others])
    shapes = [[name, list(array.shape)] for name, array in reply.arrays.items()]
    return Reply({**reply.content, "shapes": shapes}, {"high": masked.high, "low": masked.low})


def answer_unmask(site: Site, request: Request) -> Reply:
    """Return the seed of the own mask of a sum, and those of masks shared with sites whose values did not come in.

    Raises
    ------
    InputError
        When the site is not among those present, fewer than two are, or other sites were named for this sum before.
    """
    content, keys = request.content, site.agreed.public_keys
    number = int(content["of"])
    present, asked = sorted(map(str, content["present"])), sorted(map(str, content["asked"]))
    whole = len(set(present)) == len(present) >= _enough(site) and set(present) <= set(asked)
    if site.name not in present or not whole or not site.has_answered(number, asked):
        raise InputError(
            f"The masks of a sum without '{site.name}', of too few sites, or that was not asked for, stay at the site.",
            "Ask for the sum again.",
        )
    if not site.remember(-number, present):
        raise InputError(
            f"'{site.name}' has given the masks of sum {number} for other sites before.", "Ask for the sum again."
        )
    absent = [name for name in asked if name not in present]
    pairs = {name: site.keys.pair_seed(keys[name], number).hex() for name in absent}
    return Reply({"own": site.keys.own_seed(number).hex(), "pairs": pairs})


def _enough(site: Site) -> int:
    """Return the number of sites that a sum needs: what the settings say, and never fewer than two."""
    return max(2, site.agreed.settings.min_sites)
