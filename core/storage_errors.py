"""Errors of stores as StorageError: those of the system, and those of the packages that reach a remote store."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator

from core.errors import PlumblineError, SettingsError, StorageError
from core.files import os_errors_explained

__all__ = ["StorageAwayError", "missing_package", "store_errors_explained"]

_CLIENTS = (
    "botocore",
    "aiobotocore",
    "aiohttp",
    "gcsfs",
    "google",
    "azure",
    "adlfs",
    "requests",
    "urllib3",
    "paramiko",
)
"""Packages whose errors come from a remote store."""
_UNREACHABLE = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "HTTPClientError"),
    *("ProxyConnectionError", "SSLError", "ResponseStreamingError", "IncompleteReadError"),
    *("ClientConnectionError", "ServerTimeoutError", "ClientPayloadError", "TransportError", "RetryError"),
}
"""Names of the classes of errors, or of their bases, that clients raise where a store does not answer."""
_BUSY = (errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)
_OVERLOADED = re.compile(r"\b(429|500|502|503|504)\b|SlowDown|ServiceUnavailable|InternalError|RequestTimeout")
_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_EXTRAS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "sftp": "paramiko",
}
_KEYS_HINT = "Check the keys (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and what they may do in PLUMBLINE_STORAGE."


class StorageAwayError(StorageError):
    """A remote store cannot be reached at the moment."""


@contextlib.contextmanager
def store_errors_explained(action: str, *, remote: bool) -> Iterator[None]:
    """Turn the errors of a store into StorageError, with what to do.

    Parameters
    ----------
    action : str
        Words for what the block does, with which the message begins.
    remote : bool
        Whether the store is a remote one.
    """
    with os_errors_explained(action):
        try:
            yield
        except (PlumblineError, FileNotFoundError):
            raise
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            if full or not remote or not (isinstance(error, OSError) or _is_of_client(error)):
                raise
            raise _explained(action, error) from error


def _is_of_client(error: Exception) -> bool:
    return any(kind.__module__.split(".")[0] in _CLIENTS for kind in type(error).__mro__)


def _explained(action: str, error: Exception) -> StorageError:
    text, name = str(error), type(error).__name__
    names = {kind.__name__ for kind in type(error).__mro__}
    busy = isinstance(error, ConnectionError | TimeoutError) or getattr(error, "errno", None) in _BUSY
    if busy or names & _UNREACHABLE or _OVERLOADED.search(text):
        return StorageAwayError(
            f"{action}: the storage cannot be reached.",
            "Check that it runs, and its address (PLUMBLINE_STORAGE, AWS_ENDPOINT_URL), then try again.",
        )
    if isinstance(error, PermissionError) or name in _CREDENTIALS or any(word in text for word in _CREDENTIALS):
        return StorageError(f"{action}: the storage refuses the keys.", _KEYS_HINT)
    reason = re.sub(r"\s+", " ", text).strip().rstrip(".") or name
    return StorageError(f"{action}: {reason[:300]}.", "Check the storage and its address (PLUMBLINE_STORAGE).")


def missing_package(url: str, error: ImportError) -> SettingsError:
    """Return the error for a store whose package is not installed."""
    protocol = url.split(":", 1)[0]
    package = _EXTRAS.get(protocol)
    if package is None:
        return SettingsError(
            f"PLUMBLINE_STORAGE cannot be used: {str(error).rstrip('.')}.", "Install the package that it names."
        )
    extra = "pip install -r requirements-server.txt" if package == "s3fs" else f"pip install {package}"
    return SettingsError(
        f"PLUMBLINE_STORAGE is at {protocol}://, which needs {package}, and that is not installed.", extra
    )
