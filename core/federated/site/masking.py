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
    keys = site.agreed.public_keys
    others = [str(name) for name in request.content["participants"] if name != site.name]
    unknown = sorted(set(others) - set(keys))
    if unknown or not others or keys.get(site.name) != site.keys.public:
        raise InputError(
            f"A sum was asked for with sites that '{site.name}' has no keys of: {', '.join(unknown) or '-'}.",
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
    if site.name not in present or len(present) < 2 or not set(present) <= set(asked) <= set(keys):
        raise InputError(
            f"The masks of a sum without '{site.name}', or of one site alone, stay at the site.",
            "Ask for the sum again.",
        )
    if not site.remember(-number, [present, asked]):
        raise InputError(
            f"'{site.name}' has given the masks of sum {number} for other sites before.", "Ask for the sum again."
        )
    absent = [name for name in asked if name not in present]
    pairs = {name: site.keys.pair_seed(keys[name], number).hex() for name in absent}
    return Reply({"own": site.keys.own_seed(number).hex(), "pairs": pairs})
