"""The coordinator's side of a study: numbered requests, sums over sites, and a log of everything that left a site."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import LimitError
from core.federated.protocol.channel import Channel
from core.federated.protocol.fixed_point import Fixed, add, from_fixed, to_fixed, zeros
from core.federated.protocol.masks import SUM_ATTEMPTS, unmask
from core.federated.protocol.message import Arrays, Reply, Request, size_in_bytes
from core.jsonable import JsonObject

__all__ = ["MessageRecord", "Study", "Total"]


@dataclass(frozen=True)
class MessageRecord:
    """One reply that left a site, or one request that went to it.

    Parameters
    ----------
    number : int
        Number of the request.
    kind : str
        Key of `MESSAGES`.
    site : str
        Name of the site.
    round : int
        Round of training; 0 before the first.
    sent, received : int
        Bytes of the request to the site, and of its reply; 0 where it did not answer.
    masked : bool
        Whether the reply was masked.
    """

    number: int
    kind: str
    site: str
    round: int
    sent: int
    received: int
    masked: bool


@dataclass(frozen=True)
class Total:
    """A sum over sites.

    Parameters
    ----------
    arrays : dict of str to array
        Sums by name.
    sites : list of str
        Sites whose values it has.
    """

    arrays: dict[str, NDArray[np.float64]]
    sites: list[str]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.arrays[name]

    @property
    def loss(self) -> float | None:
        """Mean loss of the training rows of all sites; None where it is not shared."""
        if "loss" not in self.arrays:
            return None
        return float(self.arrays["loss"][0]) / float(self.arrays["rows"][0])


@dataclass
class Study:
    """A study as its coordinator sees it.

    Parameters
    ----------
    channel : Channel
        Way to the sites.
    masked : bool
        Whether sums are masked; those of a single site are not.
    min_sites : int, default=1
        Number of sites without which the study cannot continue.

    Attributes
    ----------
    round : int
        Round of training; 0 before the first.
    log : list of MessageRecord
        Every message, in order.
    public_keys : dict of str to str
        Public key of each site.
    rows : dict of str to int
        Number of the training rows of each site.
    """

    channel: Channel
    masked: bool
    min_sites: int = 1
    round: int = 0
    log: list[MessageRecord] = field(default_factory=list)
    public_keys: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._number = 0

    @property
    def sites(self) -> list[str]:
        """Names of all sites."""
        return list(self.channel.sites)

    def ask(
        self,
        kind: str,
        content: JsonObject | None = None,
        arrays: Arrays | None = None,
        *,
        sites: Sequence[str] | None = None,
        enough: int | None = None,
        masked: bool = False,
    ) -> dict[str, Reply]:
        """Ask sites, and return the replies by site, in the order of the sites.

        Parameters
        ----------
        kind : str
            Key of `MESSAGES`.
        content : dict, optional
            Values that JSON has.
        arrays : dict of str to array, optional
            Arrays by name.
        sites : sequence of str, optional
            Sites to ask; by default all.
        enough : int, optional
            Number of replies that are needed; by default `min_sites`.
        masked : bool, default=False
            Whether the replies are masked.

        Raises
        ------
        LimitError
            When too few sites answer.
        """
        self._number += 1
        request = Request(self._number, kind, content or {}, arrays or {})
        asked = self.sites if sites is None else list(sites)
        replies = self.channel.ask(request, asked)
        sent = size_in_bytes(request.content, request.arrays)
        for site in asked:
            reply = replies.get(site)
            received = 0 if reply is None else size_in_bytes(reply.content, reply.arrays)
            self.log.append(MessageRecord(self._number, kind, site, self.round, sent, received, masked))
        needed = self.min_sites if enough is None else enough
        if len(replies) < needed:
            raise LimitError(
                f"{len(replies)} of {len(asked)} sites answered, and {needed} are needed.",
                "Wait until more sites are there, and resume the study.",
            )
        return {site: replies[site] for site in asked if site in replies}

    def total(
        self,
        kind: str,
        content: JsonObject | None = None,
        arrays: Arrays | None = None,
        *,
        attempts: int = SUM_ATTEMPTS,
    ) -> Total:
        """Ask sites for values whose sum alone is needed, and return the sums.

        Parameters
        ----------
        kind : str
            Key of `MESSAGES`, of a kind that is summed.
        content : dict, optional
            Values that JSON has.
        arrays : dict of str to array, optional
            Arrays by name.
        attempts : int, default=3
            Number of times that a sum is asked for when a site is lost between the values and the masks.

        Raises
        ------
        LimitError
            When too few sites answer.
        """
        if not self.masked or len(self.sites) < 2:
            replies = self.ask(kind, content, arrays)
            return Total(_sums([reply.arrays for reply in replies.values()]), list(replies))
        asked = self.sites
        least = max(2, self.min_sites)
        for _ in range(attempts):
            replies = self.ask(
                kind, {**(content or {}), "participants": list(asked)}, arrays, sites=asked, enough=least, masked=True
            )
            number, present = self._number, list(replies)
            seeds = self.ask("unmask", {"of": number, "asked": list(asked), "present": list(present)}, sites=present)
            if len(seeds) == len(present):
                return Total(self._unmasked(replies, seeds, asked), present)
            asked = list(seeds)
        raise LimitError(
            f"Sites were lost in the midst of {attempts} sums in a row.", "Check the connections, and resume the study."
        )

    def _unmasked(
        self, replies: Mapping[str, Reply], seeds: Mapping[str, Reply], asked: Sequence[str]
    ) -> dict[str, NDArray[np.float64]]:
        shapes = next(iter(replies.values())).content["shapes"]
        total: Fixed | None = None
        for reply in replies.values():
            values = Fixed(reply.arrays["high"].view(np.uint64), reply.arrays["low"].view(np.uint64))
            total = values if total is None else add(total, values)
        assert total is not None
        absent = [site for site in asked if site not in replies]
        pairs = {
            (self.public_keys[site], self.public_keys[other]): bytes.fromhex(seeds[site].content["pairs"][other])
            for site in replies
            for other in absent
        }
        own = [bytes.fromhex(reply.content["own"]) for reply in seeds.values()]
        sums = from_fixed(unmask(total, own, pairs))
        arrays, start = {}, 0
        for name, shape in shapes:
            count = int(np.prod(shape))
            arrays[name] = sums[start : start + count].reshape(shape)
            start += count
        return arrays


def _sums(replies: Sequence[Arrays]) -> dict[str, NDArray[np.float64]]:
    """Return exact sums of arrays of the same names and shapes."""
    if len(replies) == 1:
        return {name: np.asarray(array, dtype=np.float64) for name, array in replies[0].items()}
    sums = {}
    for name, first in replies[0].items():
        total = zeros(first.size)
        for arrays in replies:
            total = add(total, to_fixed(arrays[name].ravel()))
        sums[name] = from_fixed(total).reshape(first.shape)
    return sums
