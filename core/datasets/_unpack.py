"""Unpacking of gzip and zip as a stream, within the limits."""

from __future__ import annotations

import contextlib
import errno
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from core.datasets._limits import Limits
from core.errors import InputError, LimitError

__all__ = ["check_archive", "damage_reported", "is_of_the_disk", "unpack_gzip", "unpack_zip"]

_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE}
_CHUNK = 4 * 2**20
_MAX_MEMBERS = 2_000


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack_gzip(path: Path, out: Path, limits: Limits, most: int | None = None) -> None:
    """Write the content of a gzip file to `out`.

    Parameters
    ----------
    path : Path
        Packed file.
    out : Path
        File to write.
    limits : Limits
        Bounds on the content, which is counted as it is written, whatever the file says of its size.
    most : int, optional
        Number of bytes after which it may end; by default all are written.

    Raises
    ------
    LimitError
        When the content is larger than the limits allow.
    InputError
        When the file is damaged or cut off.

    See Also
    --------
    unpack_zip : The same for a zip file with one member.
    """
    with damage_reported("gzip"), gzip.open(path) as source:
        _copy(source, out, path.stat().st_size, limits, most)


def unpack_zip(path: Path, out: Path, limits: Limits, most: int | None = None) -> None:
    """Write the only member of a zip file to `out`.

    Parameters
    ----------
    path : Path
        Packed file.
    out : Path
        File to write.
    limits : Limits
        Bounds on the content, which is counted as it is written, whatever the file says of its size.
    most : int, optional
        Number of bytes after which it may end; by default all are written.

    Raises
    ------
    LimitError
        When the content is larger than the limits allow.
    InputError
        When the file is damaged or cut off, protected, or has several members.

    See Also
    --------
    unpack_gzip : The same for a gzip file.
    """
    packed = path.stat().st_size
    with damage_reported("zip"), zipfile.ZipFile(path) as archive:
        member = _only_member(archive, limits, packed)
        with archive.open(member) as source:
            _copy(source, out, packed, limits, most)


@contextlib.contextmanager
def damage_reported(title: str) -> Iterator[None]:
    """Turn what a reader of packed files raises for damaged ones into an InputError."""
    try:
        yield
    except LimitError:
        raise
    except (
        EOFError,
        OSError,  # bz2 and gzip say so
        RuntimeError,
        ValueError,  # of which undecodable names are one kind
        lzma.LZMAError,
        struct.error,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        if isinstance(error, InputError) or is_of_the_disk(error):
            raise
        raise InputError(
            f"The {title} file is damaged or cut off before its end.", "Pack it again, or upload it unpacked."
        ) from error


def is_of_the_disk(error: Exception) -> bool:
    """Return whether an error is that of the disk, and not of the file that is read."""
    return getattr(error, "errno", None) in _OF_THE_DISK


def check_archive(path: Path, limits: Limits) -> None:
    """Raise when the members of a zip container (Excel) would unpack to more than the limits allow."""
    with damage_reported("zip"), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
        raise InputError(f"The file has {len(members):,} parts.", f"At most {_MAX_MEMBERS:,} are read.")
    limits.check_expansion(sum(member.file_size for member in members), path.stat().st_size)


def _only_member(archive: zipfile.ZipFile, limits: Limits, packed: int) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not member.filename.endswith(".DS_Store")
    ]
    if len(members) != 1:
        raise InputError(f"The zip holds {len(members):,} files.", "Upload a zip with one file.")
    if members[0].flag_bits & 1:
        raise InputError("The zip is protected by a password.", "Upload it without one.")
    limits.check_expansion(members[0].file_size, packed)
    return members[0]


def _copy(source: _Readable, out: Path, packed: int, limits: Limits, most: int | None) -> None:
    written = 0
    with out.open("wb") as target:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            limits.check_expansion(written, packed)
            target.write(chunk)
            if most is not None and written >= most:
                return
