"""An OIDC issuer that signs people in: authorization code with PKCE, refresh tokens that are used once, sign-out."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from html import escape
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.issuer import IssuerServer, claims, signed

CLIENT = "page"


class SignInServer(IssuerServer):
    """Shows a page with two links, for the client :data:`CLIENT` alone. ``seconds``: how long its tokens are good.

    ``granted`` are the grants that tokens were given for; what is refused by the protocol's rules is in ``refusals``.
    """

    def __init__(self, seconds: int = 600, **more: Any) -> None:
        self.seconds, self.more = seconds, more
        self.granted: list[str] = []
        self.refusals: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: set[str] = set()
        super().__init__()

    def _document(self, path: str) -> bytes:
        found = json.loads(super()._document(path))
        if path.endswith("openid-configuration"):
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "end_session_endpoint": "logout"}
            found |= {name: f"{self.url}/{end}" for name, end in names.items()}
        return json.dumps(found).encode()

    def sign_in_page(self, asked: dict[str, str]) -> bytes:
        """The page with its two ways back; a request that breaks the rules is answered without any."""
        rules = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        if broken := [name for name, value in rules.items() if asked.get(name) != value]:
            self.refusals.append(f"authorize: {broken}")
            return b"<p>This is no good request.</p>"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        ways = {"Continue as ann": {"code": code}, "Refuse": {"error": "access_denied"}}
        links = "".join(
            f'<p><a href="{escape(self._back(asked, answer))}">{name}</a></p>' for name, answer in ways.items()
        )
        return f'<!doctype html><html lang="en"><title>Issuer</title><h1>Issuer</h1>{links}</html>'.encode()

    @staticmethod
    def _back(asked: dict[str, str], answer: dict[str, str]) -> str:
        return f"{asked['redirect_uri']}?{urlencode(answer | {'state': asked['state']})}"

    def tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        """The answer of the token endpoint; ``None`` is a refusal."""
        good = self._by_code(form) if form.get("grant_type") == "authorization_code" else self._by_refresh(form)
        if not good or form.get("client_id") != CLIENT:
            self.refusals.append(f"token: {form.get('grant_type')}")
            return None
        self.granted.append(form["grant_type"])
        refresh = secrets.token_urlsafe(16)
        self._refresh.add(refresh)
        said = claims(self.url, **self.more)
        said["exp"] = said["nbf"] + self.seconds
        identity = signed(claims(self.url, aud=CLIENT, iat=said["nbf"], role=None))
        return {
            "access_token": signed(said),
            "id_token": identity,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.seconds,
        }

    def _by_code(self, form: dict[str, str]) -> bool:
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return bool(
            asked and asked["code_challenge"] == challenge and asked["redirect_uri"] == form.get("redirect_uri")
        )

    def _by_refresh(self, form: dict[str, str]) -> bool:
        given = form.get("refresh_token", "")
        known = given in self._refresh
        self._refresh.discard(given)
        return known

    def forget_everyone(self) -> None:
        """No refresh token is good any more."""
        self._refresh.clear()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer, base = self, super()._handler()

        class Handler(base):  # type: ignore[misc, valid-type]
            def do_GET(self) -> None:  # noqa: N802 - the server calls it so
                parts = urlsplit(self.path)
                asked = dict(parse_qsl(parts.query))
                if parts.path == "/authorize":
                    self._answer(200, issuer.sign_in_page(asked), "text/html")
                elif parts.path == "/logout":
                    issuer.asked.append("/logout")
                    self.send_response(302)
                    self.send_header("Location", asked["post_logout_redirect_uri"])
                    self.end_headers()
                else:
                    super().do_GET()

            def do_POST(self) -> None:  # noqa: N802 - the server calls it so
                body = self.rfile.read(int(self.headers["Content-Length"]))
                found = issuer.tokens(dict(parse_qsl(body.decode())))
                refused = {"error": "invalid_grant"}
                self._answer(200 if found else 400, json.dumps(found or refused).encode(), "application/json")

            def _answer(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def end_headers(self) -> None:
                self.send_header("Access-Control-Allow-Origin", "*")
                super().end_headers()

        return Handler
