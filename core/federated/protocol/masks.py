"""Masks that cancel in a sum over sites: what a site adds, another one subtracts.

After Bonawitz et al. (2017), "Practical secure aggregation for privacy-preserving machine learning", without its
sharing of secrets: each pair of sites agrees on a secret by Diffie and Hellman's exchange, and each site adds a mask
of its own besides. A coordinator that wants a sum asks those whose masked values came in for two things: their own
mask, and the masks that they share with sites whose values did not come in. A site whose value was only late is
therefore still masked by its own mask, which nobody else knows. If a site is lost between the two steps, the sum is
asked for again, under a new number.

This hides values from a coordinator that keeps to the protocol but looks at everything. It does not protect from a
coordinator that tells sites different stories about who is there, nor from sites that tell the coordinator what they
know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.federated.protocol.fixed_point import Fixed, Words, add, negate

__all__ = ["SUM_ATTEMPTS", "SiteKeys", "expand", "mask", "unmask"]

SUM_ATTEMPTS = 3
"""Number of times that a sum is asked for when sites are lost between their values and their masks."""
_SEED_BYTES = 32


class SiteKeys:
    """The keys of one site in one study.

    Parameters
    ----------
    secret : bytes
        Random bytes, at least 32, which never leave the site.

    Attributes
    ----------
    public : str
        Public key, as hexadecimal digits.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._private = X25519PrivateKey.from_private_bytes(_derive(secret, b"exchange"))
        self.public = self._private.public_key().public_bytes_raw().hex()
        self._shared: dict[str, bytes] = {}

    def own_seed(self, number: int) -> bytes:
        """Return the seed of the site's own mask of a request."""
        return _for_number(_derive(self._secret, b"own mask"), number)

    def noise_seed(self, number: int) -> int:
        """Return the seed of random numbers that only this site knows, of a request."""
        return int.from_bytes(_for_number(_derive(self._secret, b"noise"), number), "little")

    def pair_seed(self, other: str, number: int) -> bytes:
        """Return the seed of the mask that this site shares with another one, by its public key."""
        if other not in self._shared:
            raw = self._private.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(other)))
            self._shared[other] = _derive(raw, b"pair")
        return _for_number(self._shared[other], number)


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _SEED_BYTES, salt=None, info=b"plumbline study " + purpose).derive(secret)


def _for_number(key: bytes, number: int) -> bytes:
    return hashlib.blake2b(number.to_bytes(8, "little"), key=key, digest_size=_SEED_BYTES).digest()


def expand(seed: bytes, count: int) -> Fixed:
    """Return so many random 128-bit numbers of a seed: the stream of ChaCha20."""
    stream = Cipher(algorithms.ChaCha20(seed, bytes(16)), mode=None).encryptor().update(bytes(16 * count))
    words: Words = np.frombuffer(stream, "<u8").astype(np.uint64)
    return Fixed(words[:count], words[count:])


def mask(values: Fixed, keys: SiteKeys, number: int, others: Collection[str]) -> Fixed:
    """Return values with the site's masks of a request added.

    Parameters
    ----------
    values : Fixed
        Values of the site.
    keys : SiteKeys
        Keys of the site.
    number : int
        Number of the request.
    others : collection of str
        Public keys of the other sites that are asked.
    """
    count = len(values.low)
    masked = add(values, expand(keys.own_seed(number), count))
    for other in others:
        shared = expand(keys.pair_seed(other, number), count)
        masked = add(masked, shared if keys.public < other else negate(shared))
    return masked


def unmask(total: Fixed, own: Collection[bytes], pairs: Mapping[tuple[str, str], bytes]) -> Fixed:
    """Return a sum of masked values without the masks that did not cancel.

    Parameters
    ----------
    total : Fixed
        Sum of the values that came in.
    own : collection of bytes
        Seeds of the own masks of the sites whose values came in.
    pairs : mapping of (str, str) to bytes
        Seeds of the masks that a site whose value came in (the first public key) shares with one whose value did not.
    """
    count = len(total.low)
    for seed in own:
        total = add(total, negate(expand(seed, count)))
    for (present, absent), seed in pairs.items():
        shared = expand(seed, count)
        total = add(total, negate(shared) if present < absent else shared)
    return total
