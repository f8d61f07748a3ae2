"""A provider of OpenID Connect that signs in whom it is told to, and forges its tokens in the way it is told to."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "plumbline"
Claims = dict[str, Any]


class ForgingProvider:
    """The provider; `person` and `life_s` say whom it signs in for how long, `forge` what is wrong with its token."""

    def __init__(self, url: str) -> None:
        self.url, self.person, self.life_s, self.forge = url, "ada@example.org", 3_600.0, ""
        self._key, self._other = (
            RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256"}, private=True) for _ in range(2)
        )
        self._asked: dict[str, Claims] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._jwks),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _metadata(self, _request: Request) -> Response:
        paths = {"authorization": "authorize", "token": "token"}
        return JSONResponse(
            {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "response_types_supported": ["code"]}
            | {f"{name}_endpoint": f"{self.url}/{path}" for name, path in paths.items()}
            | {"id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"]}
        )

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        code, asked = secrets.token_urlsafe(), dict(request.query_params)
        self._asked[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        async with request.form() as form:
            asked = self._asked.pop(str(form["code"]), None)
        if asked is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return JSONResponse(
            {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": self._id_token(asked)}
        )

    def _id_token(self, asked: Claims) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.person,
            "email": self.person,
            "email_verified": True,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + self.life_s,
        }
        changed, key = FORGERIES[self.forge](claims), self._other if self.forge == "another key" else self._key
        if self.forge == "no signature":
            parts = ({"alg": "none", "typ": "JWT"}, changed)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
                + "."
            )
        return jwt.encode({"alg": "RS256", "kid": "1"}, changed, key)


FORGERIES: dict[str, Callable[[Claims], Claims]] = {
    "": dict,
    "another key": dict,
    "no signature": dict,
    "for someone else": lambda claims: claims | {"aud": "another-client"},
    "by someone else": lambda claims: claims | {"iss": "https://id.example.org"},
    "expired": lambda claims: claims | {"iat": claims["iat"] - 7_200, "exp": claims["iat"] - 3_600},
    "of another login": lambda claims: claims | {"nonce": "another-nonce"},
}
"""What is wrong with a token; nothing under the empty name."""


@contextmanager
def running() -> Iterator[ForgingProvider]:
    """Serve a provider on a free port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        provider = ForgingProvider(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(provider.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield provider
        server.should_exit = True
        thread.join(10)
