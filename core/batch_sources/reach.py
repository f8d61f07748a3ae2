"""What may be read here: folders, file systems and hosts by the profile, and with which credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.access import profile
from core.addresses import WebAddress, allowed_ips, web_address
from core.credentials import check_name, credential, hide
from core.errors import DeniedError, InputError, SettingsError, shortened
from core.hosts import IPAddress, normalized_host
from core.settings import get_settings

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["check_host", "check_local", "is_restricted", "open_folder", "source_credential"]

_LOCAL: Final = {"file", "local"}
_OBJECT_STORES: Final = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
"""File systems whose servers are on the internet, unless the options of a credential name another one."""
_SHOWN: Final = {
    "endpoint_url",
    "endpoint_override",
    "account_host",
    "account_name",
    "region_name",
    "project",
    "bucket",
}
_ENDPOINTS: Final = ("endpoint_url", "endpoint_override", "account_host", "connection_string")


def is_restricted() -> bool:
    """Return whether users of this installation may reach only what is on the internet, or listed."""
    installed = profile()
    return installed.signs_in or installed.visitors


def source_credential(name: str, prefix: str, *, workspace: str) -> str:
    """Return the value of a credential of sources. Those of webhooks and mail servers read nothing.

    Raises
    ------
    DeniedError
        When it is kept for other workspaces.
    InputError
        When the name is not one, or not one of this kind of source.
    SettingsError
        When it is not set.
    """
    name = check_name(name)
    if not name.startswith(prefix):
        raise InputError(
            f"The credential {name} is not one of this kind of source.", f"The names of those begin with {prefix}."
        )
    return credential(name, workspace=workspace).get_secret_value()


def check_local(path: Path) -> Path:
    """Return a path of this machine that may be read here, without links in it.

    Raises
    ------
    DeniedError
        When it is in none of the folders that ``PLUMBLINE_SOURCE_FOLDERS`` lists, and the profile asks for that.
    """
    real = path.resolve()
    folders = [folder.resolve() for folder in get_settings().source_folders]
    if is_restricted() and not any(real.is_relative_to(folder) for folder in folders):
        raise DeniedError(
            "Files of the server are not read here, but for those in folders that are listed.",
            "Whoever runs this server may list the folder in PLUMBLINE_SOURCE_FOLDERS.",
        )
    return real


def check_host(host: str, port: int) -> tuple[IPAddress, ...]:
    """Return where the host of a database leads, once that was checked.

    Raises
    ------
    DeniedError
        When it may not be reached in this profile.
    InputError
        When it is not the name or address of a host.
    RemoteError
        When it cannot be looked up.
    """
    return allowed_ips(WebAddress("https", normalized_host(host), port, "/"))


def open_folder(url: str, credential_name: str, *, workspace: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system of a folder, and the folder's path in it.

    Parameters
    ----------
    url : str
        Path of this machine, or URL of fsspec.
    credential_name : str
        Name of the credential with the options of the file system; empty for none.
    workspace : str
        Workspace that reads.

    Raises
    ------
    DeniedError
        When it may not be read in this profile.
    InputError
        When it is neither a path nor a URL that can be used.
    SettingsError
        When the file system's package or the credential is missing.
    """
    import fsspec

    protocol, path = _split(url)
    options = _options(credential_name, workspace) if credential_name else {}
    if protocol in _LOCAL:
        return fsspec.filesystem("file", skip_instance_cache=True), str(check_local(_absolute(path)))
    if is_restricted():
        _check_remote(protocol, credential_name, options)
    try:
        system = fsspec.filesystem(protocol, skip_instance_cache=True, **options)
    except ImportError as error:
        package = getattr(error, "name", None) or "its package"
        raise SettingsError(
            f"Folders of {protocol}:// need the package {package}, which is not installed.",
            "Whoever runs the server installs it, such as s3fs for s3://.",
        ) from None
    except (ValueError, TypeError, OSError):  # their texts may hold options
        raise InputError(
            f"The file system {protocol}:// cannot be used with these options.",
            "Check the protocol, and the options in the credential.",
        ) from None
    return system, str(system._strip_protocol(url)).rstrip("/")


def _split(url: str) -> tuple[str, str]:
    """Return the protocol of a folder and what follows it."""
    url = url.strip()
    if not url.isprintable() or "::" in url:
        raise InputError(
            "The address of the folder has characters that cannot be seen, or several file systems in it (::).",
            "Write one path or one URL, such as s3://bucket/folder.",
        )
    protocol, mark, path = url.partition("://")
    if not mark:
        return "file", url
    if not protocol.isalnum():
        raise InputError(f"'{shortened(protocol, 20)}' is not a protocol.", "Write it as in s3://bucket/folder.")
    if "@" in path.partition("/")[0] and protocol.lower() not in {"abfs", "abfss"}:
        raise InputError(
            "The address of the folder holds a user or a password.",
            "Leave them out, and name a credential that has them.",
        )
    return protocol.lower(), path


def _absolute(path: str) -> Path:
    if not Path(path).is_absolute():
        raise InputError(
            f"'{shortened(path)}' is not the whole path of a folder.",
            "Write it from its beginning, such as /srv/scored.",
        )
    return Path(path)


def _options(name: str, workspace: str) -> dict[str, Any]:
    value = source_credential(name, "FILES_", workspace=workspace)
    try:
        options = json.loads(value)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise SettingsError(
            f"The credential {name} is not a JSON object.",
            'Its value has the options of the file system, such as {"key": "...", "secret": "..."} for s3://.',
        )
    hide(*_texts(options))
    return options


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in options, without addresses and names of regions, which messages may show."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in _SHOWN:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _check_remote(protocol: str, credential_name: str, options: dict[str, Any]) -> None:
    """Refuse what would reach the server's own network, or use the server's own rights."""
    if protocol not in _OBJECT_STORES:
        raise DeniedError(
            f"Folders of {shortened(protocol, 20)}:// are not read here.",
            f"Use one of: {', '.join(sorted(_OBJECT_STORES))}; or a folder that PLUMBLINE_SOURCE_FOLDERS lists.",
        )
    if not credential_name:
        raise DeniedError(
            "An object store is read with a credential only: otherwise with the rights of the server.",
            'Name one; for public files its value is {"anon": true}.',
        )
    for endpoint in _endpoints(options):
        allowed_ips(web_address(endpoint))


def _endpoints(options: dict[str, Any]) -> list[str]:
    inner = options.get("client_kwargs")
    both = [options, inner if isinstance(inner, dict) else {}]
    values = [str(part[name]) for part in both for name in _ENDPOINTS if part.get(name)]
    return [value if "://" in value else f"https://{value}" for value in values if "AccountKey=" not in value]
