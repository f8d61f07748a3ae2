"""Where the API server of a Kubernetes cluster is, and what this process proves itself with.

In a pod that is the pod's own service account, elsewhere the current context of a kubeconfig file. Of such a file the
server, its certificate authority, and a token or a client certificate are used; programs that fetch tokens are not run.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import SettingsError

__all__ = ["SERVICE_ACCOUNT", "ClusterAccess", "cluster_access"]

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Folder with the token, the certificate authority and the namespace of a pod."""
_HINT = "Use a service account's token; docs/operations.md shows the rights that it needs."


@dataclass(frozen=True, kw_only=True)
class ClusterAccess:
    """The address of an API server, and how to prove oneself there.

    Parameters
    ----------
    host, port, path : str, int and str
        Its address; the path is that of a proxy in front of several clusters, usually empty.
    tls : ssl.SSLContext or None
        Certificates that are trusted and shown; None for a server of this machine without encryption.
    namespace : str
        Namespace of the context.
    fixed_token : str or None
        Token.
    token_file : Path or None
        File with the token, which is read for each request, as such tokens are replaced before they run out.
    """

    host: str
    port: int
    path: str = ""
    tls: ssl.SSLContext | None
    namespace: str
    fixed_token: str | None
    token_file: Path | None

    def token(self) -> str | None:
        """Return the token that is valid now; None where a client certificate is used instead.

        Raises
        ------
        SettingsError
            When its file cannot be read.
        """
        if self.fixed_token is not None or self.token_file is None:
            return self.fixed_token
        return _text(self.token_file).strip()


def cluster_access(
    token: str | None, environ: Mapping[str, str] | None = None, account: Path = SERVICE_ACCOUNT
) -> ClusterAccess:
    """Return how the cluster is reached.

    Parameters
    ----------
    token : str or None
        Token to use instead of the one that is in the pod or in the file.
    environ : mapping, optional
        Variables of this process; by default those of the system.
    account : Path, default=SERVICE_ACCOUNT
        Folder of the service account of a pod.

    Raises
    ------
    SettingsError
        When no cluster is named, or a file cannot be used.
    """
    variables = os.environ if environ is None else environ
    named = [Path(name).expanduser() for name in variables.get("KUBECONFIG", "").split(os.pathsep) if name]
    host = variables.get("KUBERNETES_SERVICE_HOST")
    if named:
        return _of_file(next((path for path in named if path.exists()), named[0]), token)
    if host:
        file = account / "namespace"
        return ClusterAccess(
            host=host,
            port=int(variables.get("KUBERNETES_SERVICE_PORT", "443")),
            tls=_context(_text(account / "ca.crt")),
            namespace=_text(file).strip() if file.exists() else "default",
            fixed_token=token,
            token_file=account / "token",
        )
    file = Path(variables.get("HOME", "~")).expanduser() / ".kube" / "config"
    if file.exists():
        return _of_file(file, token)
    raise SettingsError(
        "PLUMBLINE_ENGINE is kubernetes, and no cluster is named.",
        "Run the server in a pod of the cluster, or set KUBECONFIG to a file with its address and a token.",
    )


def _of_file(path: Path, token: str | None) -> ClusterAccess:
    """Return how the cluster of the current context of a kubeconfig file is reached."""
    import yaml

    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError:
        content = None
    if not isinstance(content, dict):
        raise SettingsError(f"The file {path} is not a kubeconfig file.", "Correct KUBECONFIG.")
    context = _entry(path, content, "context", content.get("current-context"))
    cluster = _entry(path, content, "cluster", context.get("cluster"))
    user = _entry(path, content, "user", context["user"]) if context.get("user") else {}
    server = urlsplit(str(cluster.get("server", "")))
    if server.scheme not in ("http", "https") or not server.hostname:
        raise SettingsError(
            f"The file {path} has no address of an API server that can be used: {cluster.get('server')!r}.",
            "It takes an address such as https://10.0.0.1:6443.",
        )
    _check(path, cluster, user, server.scheme == "http" and not _is_loopback(server.hostname), token)
    file = user.get("tokenFile")
    return ClusterAccess(
        host=server.hostname,
        port=server.port or (443 if server.scheme == "https" else 80),
        path=server.path.rstrip("/"),
        tls=_file_context(path, cluster, user) if server.scheme == "https" else None,
        namespace=str(context.get("namespace") or "default"),
        fixed_token=token or user.get("token"),
        token_file=None if file is None else path.parent / str(file),
    )


def _check(path: Path, cluster: dict[str, Any], user: dict[str, Any], is_open: bool, token: str | None) -> None:
    """Refuse what is not supported, or not safe."""
    if is_open:
        raise SettingsError(f"The API server in {path} is reached without encryption.", "Use its https address.")
    if cluster.get("insecure-skip-tls-verify"):
        raise SettingsError(
            f"The file {path} asks for a certificate that is not checked.",
            "Give certificate-authority-data instead of insecure-skip-tls-verify.",
        )
    for name in ("proxy-url", "tls-server-name"):
        if cluster.get(name):
            raise SettingsError(f"The file {path} has {name}, which is not supported.", "Use an address without it.")
    for name in ("exec", "auth-provider", "username"):
        if user.get(name) and token is None:
            what = "signs in with a name and a password" if name == "username" else "has a program fetch the token"
            raise SettingsError(f"The current user of {path} {what} ({name}), which is not supported.", _HINT)


def _entry(path: Path, content: dict[str, Any], noun: str, name: object) -> dict[str, Any]:
    for entry in content.get(f"{noun}s") or ():
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(noun), dict):
            values: dict[str, Any] = entry[noun]
            return values
    raise SettingsError(f"The file {path} has no {noun} {name!r}.", "Correct it, or KUBECONFIG.")


def _file_context(path: Path, cluster: dict[str, Any], user: dict[str, Any]) -> ssl.SSLContext:
    authority = _content(path, cluster, "certificate-authority")
    context = _context(None if authority is None else authority.decode(errors="replace"))
    certificate, key = _content(path, user, "client-certificate"), _content(path, user, "client-key")
    if certificate is not None and key is not None:
        with _private_file(certificate + b"\n" + key) as file:
            try:
                context.load_cert_chain(file)
            except (ssl.SSLError, ValueError) as error:
                raise SettingsError(f"The client certificate in {path} cannot be used.", _HINT) from error
    return context


def _content(path: Path, values: dict[str, Any], name: str) -> bytes | None:
    """Return what a file names, or has in itself."""
    data = values.get(f"{name}-data")
    if data is not None:
        try:
            return base64.b64decode(str(data), validate=True)
        except ValueError:
            raise SettingsError(f"{name}-data in {path} is not in base64.", "Correct it.") from None
    file = values.get(name)
    return None if file is None else _text(path.parent / str(file)).encode()


def _context(authority: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError("The certificate authority of the API server cannot be read.", "Give it as PEM.") from error


@contextlib.contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    """Yield the path of a file that only this user can read, and that is removed at once: ssl takes no bytes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError(f"The file {path} cannot be read: {reason}.", "PLUMBLINE_ENGINE needs it.") from error
