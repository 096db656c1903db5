"""An OIDC issuer on 127.0.0.1: a real HTTP server with keys that can be changed, and moods."""

from __future__ import annotations

import json
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "board"
Algorithm = Literal["RS256", "ES256", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")

_MAKE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@cache
def private_key(algorithm: Algorithm, number: int = 0) -> Any:
    """One key for each number, made once: making RSA keys is slow."""
    return _MAKE[algorithm]()


def jwk(algorithm: Algorithm, kid: str | None, number: int = 0, **more: object) -> dict[str, Any]:
    """The public half as an issuer publishes it."""
    public = private_key(algorithm, number).public_key()
    made: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(public, as_dict=True)
    made.pop("key_ops", None)
    return made | {"use": "sig", "alg": algorithm} | ({"kid": kid} if kid is not None else {}) | more


def claims(issuer: str, **more: Any) -> dict[str, Any]:
    """Good claims, with ``more`` in their place; ``None`` leaves one out."""
    now = int(time.time())
    made = {"iss": issuer, "aud": AUDIENCE, "sub": "ann", "role": "developer", "exp": now + 600, "nbf": now} | more
    return {name: value for name, value in made.items() if value is not None}


def signed(given: dict[str, Any], algorithm: Algorithm = "RS256", kid: str | None = "one", number: int = 0) -> str:
    """A token with these claims, signed with that key."""
    headers = {"kid": kid} if kid is not None else {}
    return jwt.PyJWS().encode(json.dumps(given).encode(), private_key(algorithm, number), algorithm, headers)


def segment(value: object) -> str:
    """A part of a token made by hand."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class IssuerServer:
    """Serves its discovery document and :attr:`keys`, in its :attr:`mood`. ``asked`` are the paths it was asked for."""

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.keys: list[dict[str, Any]] = [jwk("RS256", "one")]
        self.mood: Literal["well", "broken", "rubbish", "huge", "dripping", "elsewhere", "moved", "cut off"] = "well"
        self.claims_to_be: str | None = None
        self.jwks_uri: str | None = None
        self.asked: list[str] = []
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._server.server_port}"
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Listen no more; may be called again."""
        self._stop.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def _document(self, path: str) -> bytes:
        if path.endswith("openid-configuration"):
            uri = self.jwks_uri or f"{self.url}/keys"
            return json.dumps({"issuer": self.claims_to_be or self.url, "jwks_uri": uri}).encode()
        return json.dumps({"keys": self.keys}).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = issuer._document(self.path)
                match issuer.mood:
                    case "broken":
                        self.send_error(500)
                        return
                    case "moved":
                        self.send_response(302)
                        self.send_header("Location", f"{issuer.url}/elsewhere")
                        self.end_headers()
                        return
                    case "rubbish":
                        body = b"<html>" + bytes(range(256))
                    case "huge":
                        body = body[:-1] + b" " * 2_000_000 + body[-1:]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if issuer.mood == "cut off":
                    body = body[: len(body) // 2]
                if issuer.mood != "dripping":
                    self._write(body)
                    return
                for byte in body:
                    if issuer._stop.wait(0.05) or not self._write(bytes([byte])):
                        return

            def _write(self, data: bytes) -> bool:
                try:
                    self.wfile.write(data)
                except OSError:
                    return False
                return True

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the tests look at :attr:`IssuerServer.asked`."""

        return Handler
