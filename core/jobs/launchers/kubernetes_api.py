"""Requests to the API server of a Kubernetes cluster, over HTTP, so that no client package is needed."""

from __future__ import annotations

import http.client
import json
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from core.errors import JobError, RemoteError
from core.jobs.launchers.base import last_line
from core.jobs.launchers.kubernetes_access import ClusterAccess

__all__ = ["ApiServer", "Reply"]

_TIMEOUT_S = 6.0
_MOST_BYTES = 32 << 20
_LATER = (429, 500, 502, 503, 504)
"""Answers of a server that is overloaded, starts, or waits for its database."""

Reply = dict[str, Any]
"""An object of the API, as JSON."""


class ApiServer:
    """The API server of a cluster.

    Parameters
    ----------
    access : ClusterAccess
        Address, and how this process proves itself.
    """

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access

    @property
    def title(self) -> str:
        """Words for the cluster in sentences."""
        return f"the Kubernetes cluster at {self._access.host}:{self._access.port}"

    def get(self, path: str, **query: object) -> tuple[int, Reply]:
        """Return the status and the object of an answer."""
        return self._json(*self._request("GET", path, query))

    def text(self, path: str, **query: object) -> tuple[int, str]:
        """Return the status and the text of an answer."""
        return self._request("GET", path, query)

    def post(self, path: str, body: Reply) -> tuple[int, Reply]:
        """Create an object."""
        return self._json(*self._request("POST", path, {}, body))

    def delete(self, path: str, **query: object) -> tuple[int, Reply]:
        """Delete an object."""
        return self._json(*self._request("DELETE", path, query))

    def refused(self, what: str, status: int, reply: Reply) -> NoReturn:
        """Raise what an answer means that is not the one wanted.

        Raises
        ------
        RemoteError
            When another answer can be expected later, such as when Plumbline was given the right to it.
        JobError
            When this very object is refused.
        """
        subject = self.title[0].upper() + self.title[1:]
        message = last_line(str(reply.get("message") or "")).rstrip(".") or f"status {status}"
        if status in _LATER:
            raise RemoteError(f"{subject} did not {what}: {message}.", "It is tried again.")
        if status == 401:
            raise RemoteError(
                f"{subject} does not accept the token or certificate of Plumbline.",
                "Correct PLUMBLINE_ENGINE_TOKEN, the kubeconfig file, or the pod's service account.",
            )
        if status == 403:
            raise RemoteError(
                f"{subject} does not allow Plumbline to {what}: {message}.",
                "docs/operations.md shows the rights that it needs; a quota may be used up as well.",
            )
        raise JobError(f"{subject} did not {what}: {message}.", "Correct PLUMBLINE_ENGINE_TEMPLATE.")

    def _json(self, status: int, text: str) -> tuple[int, Reply]:
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            if status >= 400:
                return status, {"message": last_line(text)}
            raise RemoteError(
                f"What answers at {self._access.host}:{self._access.port} is not an API server of Kubernetes: "
                f"{last_line(text)[:80]!r}.",
                "Check the address of the cluster.",
            )
        return status, values

    def _request(self, method: str, path: str, query: dict[str, object], body: Reply | None = None) -> tuple[int, str]:
        """Return status and text of an answer.

        Raises
        ------
        RemoteError
            When none comes.
        """
        headers = {"Accept": "application/json", "User-Agent": "plumbline"}
        token = self._access.token()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        address = f"{self._access.path}{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        connection = self._connection()
        try:
            connection.request(method, address, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_MOST_BYTES).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            reason = last_line(str(getattr(error, "strerror", None) or error)) or type(error).__name__
            subject = self.title[0].upper() + self.title[1:]
            raise RemoteError(f"{subject} cannot be reached: {reason}.", "Runs wait until it answers.") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port, tls = self._access.host, self._access.port, self._access.tls
        if tls is None:
            return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=tls)
