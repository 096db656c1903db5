"""Keys that tokens are verified with. Each is good for one algorithm only, whatever a token says of itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""Type and curve of a public key → the algorithm that it is used with. Secrets in a published set are ignored."""
RSA_BITS = 2048
"""The least that RFC 7518, 3.3 allows."""
SECRET_BYTES = 32
"""The least that RFC 7518, 3.2 allows with HS256."""
MOST_KEYS = 64

_JWS = jwt.PyJWS()


class Key(NamedTuple):
    """A key and its only algorithm; ``kid`` is its name in the set that it came from."""

    algorithm: str
    material: Any
    kid: str = ""

    def payload(self, token: str) -> bytes | None:
        """The bytes that ``token`` signs with this key; ``None`` when it does not."""
        try:
            signed: bytes = _JWS.decode(token, self.material, algorithms=[self.algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return signed


def secret_key(secret: str) -> Key:
    """The key of a secret. Raises ``ValueError`` for one that could be guessed."""
    material = secret.encode()
    if len(material) < SECRET_BYTES:
        raise ValueError(f"a secret of {len(material)} bytes can be guessed; use at least {SECRET_BYTES}")
    try:
        return Key("HS256", jwt.get_algorithm_by_name("HS256").prepare_key(material))
    except jwt.InvalidKeyError:
        raise ValueError("a public key or certificate is no secret") from None


def public_keys(document: bytes) -> dict[str, Key]:
    """The usable keys of a JWK set (RFC 7517) by their ``kid``. Raises ``ValueError`` when there is none."""
    try:
        found = msgspec.json.decode(document, type=_Set).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no set of keys: {error}") from None
    keys = [key for key in map(_public_key, found[:MOST_KEYS]) if key]
    if not keys:
        raise ValueError("it has no key that can be used: RSA of 2048 bits, P-256 or Ed25519, for signatures")
    return {key.kid: key for key in keys}


class _Set(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


def _public_key(jwk: dict[str, Any]) -> Key | None:
    algorithm = ALGORITHMS.get((str(jwk.get("kty")), jwk.get("crv") and str(jwk["crv"])))
    if algorithm is None or jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        return None
    kid, operations = jwk.get("kid", ""), jwk.get("key_ops", ["verify"])
    if not isinstance(kid, str) or not isinstance(operations, list) or "verify" not in operations:
        return None
    public = {name: value for name, value in jwk.items() if name in ("kty", "crv", "n", "e", "x", "y")}
    try:
        material = jwt.PyJWK(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(material, RSAPublicKey) and material.key_size < RSA_BITS:
        return None
    return Key(algorithm, material, kid)
