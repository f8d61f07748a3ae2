"""Credentials: passwords and keys that settings and rows name, and whose values are looked up when they are used.

A name such as ``WEBHOOK_SALES`` is all that the catalog, a file or a page has. The value is in the environment, as
``PLUMBLINE_SECRET_WEBHOOK_SALES``, or in the file that ``PLUMBLINE_SECRETS_FILE`` names, which has to belong to the
server's own user alone::

    WEBHOOK_SALES = "a long random text"

    [WEBHOOK_PAYROLL]
    value = "another one"
    workspaces = ["1f0c5d2be7a94c36"]      # no other workspace may use it
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

from dotenv import dotenv_values
from pydantic import SecretStr

from core.errors import DeniedError, InputError, SettingsError
from core.setting_errors import PREFIX, SECRET
from core.settings import Settings, get_settings

__all__ = ["HIDDEN", "check_name", "credential", "hide", "scrubbed"]

HIDDEN: Final = "[hidden]"
"""Text in the place of a value."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_FILE = "The file that PLUMBLINE_SECRETS_FILE names"
_OTHERS = 0o077
_FILE_BYTES = 1 << 20
_PART_CHARS = 6  # of a part of a value; shorter ones are in many texts
_FORM_CHARS = 8  # of a part of an encoded value that is surely its own

_used: set[str] = set()
"""Values that this process has looked up, which `scrubbed` hides."""


def check_name(name: str) -> str:
    """Return the name of a credential, without blanks around it.

    A name that is not one is not repeated in the error: it may be the value, in the wrong field.

    Raises
    ------
    InputError
        When it is not a name.

    Examples
    --------
    >>> check_name(" WEBHOOK_SALES ")
    'WEBHOOK_SALES'
    >>> check_name("hunter2")
    Traceback (most recent call last):
    core.errors.InputError: This is not the name of a credential. Write its name, such as WEBHOOK_SALES: capital...
    """
    if not _NAME.fullmatch(name.strip()):
        raise InputError(
            "This is not the name of a credential.",
            "Write its name, such as WEBHOOK_SALES: capital letters, digits and _, at most 64. Its value is set on the "
            "server, and never here.",
        )
    return name.strip()


def credential(name: str, *, workspace: str | None = None) -> SecretStr:
    """Look up the value of a credential, which neither `repr` nor a log shows.

    Parameters
    ----------
    name : str
        Name of the credential.
    workspace : str, optional
        Workspace that uses it; by default the installation itself does, which may use all of them.

    Returns
    -------
    SecretStr
        The value; ``get_secret_value()`` has its text.

    Raises
    ------
    InputError
        When the name is not one.
    SettingsError
        When it is not set, or the file of secrets cannot be used.
    DeniedError
        When it is kept for other workspaces.

    See Also
    --------
    scrubbed : A text in which the values are hidden.

    Examples
    --------
    >>> os.environ["PLUMBLINE_SECRET_EXAMPLE"] = "a value"
    >>> credential("EXAMPLE")
    SecretStr('**********')
    >>> del os.environ["PLUMBLINE_SECRET_EXAMPLE"]
    """
    name = check_name(name)
    value = _from_environment(name)
    if value is None:
        value = _from_file(name, workspace)
    if not value:
        raise SettingsError(
            f"The credential {name} is not set.",
            f"Whoever runs the server sets {PREFIX}{SECRET}{name}, or {name} in the file that PLUMBLINE_SECRETS_FILE "
            "names.",
        )
    _used.add(value)
    return SecretStr(value)


def hide(*values: object) -> None:
    """Let `scrubbed` hide parts of a credential, such as the password in an address; short and empty ones are not."""
    _used.update(value for value in values if isinstance(value, str) and len(value) >= _PART_CHARS)


def scrubbed(text: object) -> str:
    """Return a text, such as that of a library's error, in which the values of credentials are hidden.

    Hidden is what this process has looked up, also as it stands in an address, in JSON, in a `repr` and in Base64.

    Examples
    --------
    >>> os.environ["PLUMBLINE_SECRET_EXAMPLE"] = "k/9 value"
    >>> _ = credential("EXAMPLE")
    >>> scrubbed("refused: key=k%2F9%20value"), scrubbed("other")
    ('refused: key=[hidden]', 'other')
    >>> del os.environ["PLUMBLINE_SECRET_EXAMPLE"]
    """
    text = str(text)
    for form in sorted({form for value in _used for form in _forms(value)}, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def _forms(value: str) -> set[str]:
    """Return the ways in which a value may stand in a text."""
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    return {value, quote(value, safe=""), quote(value), quote_plus(value), *escaped, *_base64_forms(value.encode())}


def _base64_forms(value: bytes) -> set[str]:
    """Return the parts of Base64 that the value makes wherever it begins: whole groups of three bytes."""
    forms = set()
    for shift in range(3):
        begins = -shift % 3
        whole = value[begins : begins + (len(value) - begins) // 3 * 3]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(whole).decode())
    return {form for form in forms if len(form) >= _FORM_CHARS} | {base64.b64encode(value).decode()}


def _from_environment(name: str) -> str | None:
    """Return what a variable or the file ``.env`` has of a credential."""
    variable = f"{PREFIX}{SECRET}{name}"
    if os.environ.get(variable):
        return os.environ[variable]
    path = Settings.model_config["env_file"]
    if not isinstance(path, Path) or not path.is_file():
        return None
    value = dotenv_values(path, interpolate=False).get(variable)
    if value:
        _read_private(path, "The file .env next to app.py")
    return value


def _from_file(name: str, workspace: str | None) -> str | None:
    path = get_settings().secrets_file
    if path is None:
        return None
    try:
        entry = tomllib.loads(_read_private(path, _FILE)).get(name)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line \d+", str(error))
        raise SettingsError(
            f"{_FILE} is not TOML ({line.group() if line else 'its end'}).", 'Write NAME = "value", one on a line.'
        ) from None  # its own text may have a value
    if isinstance(entry, dict):
        _check_workspace(name, entry, workspace)
        entry = entry.get("value")
    if entry is not None and not isinstance(entry, str):
        raise SettingsError(f"{name} in the file of PLUMBLINE_SECRETS_FILE is not a text.", 'Write NAME = "value".')
    return entry


def _check_workspace(name: str, entry: dict[str, Any], workspace: str | None) -> None:
    """Raise DeniedError where a credential is kept for other workspaces."""
    allowed = entry.get("workspaces")
    if allowed is None or workspace is None:
        return
    if not isinstance(allowed, list) or workspace not in allowed:
        raise DeniedError(
            f"The credential {name} is not for this workspace.",
            "Whoever runs the server adds the workspace to it in the file of secrets.",
        )


def _read_private(path: Path, noun: str) -> str:
    """Return the content of a file that no other user of the machine can read; messages do not say where it is."""
    hint = "It has to be a file of the server's user that nobody else can read (chmod 600)."
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid not in (os.geteuid(), 0):
                raise SettingsError(f"{noun} is not a file of the user that runs Plumbline.", hint)
            if status.st_mode & _OTHERS:
                raise SettingsError(f"{noun} can be read or changed by other users of the machine.", hint)
            content = file.read(_FILE_BYTES + 1)
        if len(content) > _FILE_BYTES:
            raise SettingsError(f"{noun} is longer than 1 MB.", hint)
        return content.decode()
    except OSError as error:
        raise SettingsError(f"{noun} cannot be read: {error.strerror}.", hint) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{noun} cannot be read: it is not UTF-8.", hint) from None
