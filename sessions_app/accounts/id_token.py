"""ID tokens, judged: OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725. Nothing here asks the network.

Which key and which algorithm may be used, this installation says; what a token's own header offers beside its `kid`
(`jwk`, `jku`, `x5c`) is not looked at.
"""

import hmac
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

KINDS: Final = {
    "RS256": ("RSA", None), "RS384": ("RSA", None), "RS512": ("RSA", None), "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"),
}  # fmt: skip
"""Algorithm: the kind of key and the curve that it is used with (RFC 7518)."""
MEMBERS: Final = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
"""What is read of a key: of one that was published with its private half, the public one."""
RSA_BITS: Final = range(2048, 8193)
LEEWAY_S: Final = 60
NEEDED: Final = ["iss", "sub", "aud", "exp", "iat", "nonce"]
MAX_SUBJECT: Final = 255
"""Characters of ASCII; OpenID Connect Core 1.0 section 2."""
TRUE_OF_ENTRA: Final = (True, 1, "1", "true")


class Refused(ValueError):
    """The answer of a provider is none that lets anybody in; says why, for people who set it up."""


class UnknownKey(Refused):
    """Signed with a key that is not among these: newer ones may be there."""


def verified(token: Any, keys: list[Any], *, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """The token's claims. `keys`: as the provider publishes them (JWK). Raises Refused, UnknownKey."""
    if not isinstance(token, str):
        raise Refused("The provider sent no ID token.")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise Refused("The ID token is none.") from error
    algorithm, key = _key(header, keys)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_S,
            options={"require": NEEDED},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Refused(f"The ID token does not hold: {type(error).__name__}.") from error
    _for_us(claims, client_id, nonce)
    return claims


def _key(header: dict[str, Any], keys: list[Any]) -> tuple[str, Any]:
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise Refused("The ID token is signed in a way that is not taken. Have it signed with RS256 or ES256.")
    if not isinstance(kid, str) or not kid:
        raise Refused("The ID token does not name its key.")
    for jwk in keys:
        if isinstance(jwk, dict) and jwk.get("kid") == kid and _fits(jwk, algorithm):
            return algorithm, _public(jwk, algorithm)
    raise UnknownKey("The ID token is signed with a key that the provider does not publish for it.")


def _fits(jwk: dict[str, Any], algorithm: str) -> bool:
    kind, curve = KINDS[algorithm]
    operations = jwk.get("key_ops")
    return (
        (jwk.get("kty"), jwk.get("crv")) == (kind, curve)
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) == algorithm
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )


def _public(jwk: dict[str, Any], algorithm: str) -> Any:
    try:
        key: Any = jwt.PyJWK({name: jwk[name] for name in MEMBERS[jwk["kty"]]}, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise Refused("A key that the provider publishes is none.") from error
    if isinstance(key, RSAPublicKey) and key.key_size not in RSA_BITS:
        raise Refused(f"The provider's key has {key.key_size} bits. Use one of 2048 to 8192.")
    return key


def _for_us(claims: dict[str, Any], client_id: str, nonce: str) -> None:
    """What PyJWT leaves open."""
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise Refused("The ID token is for several, and does not say who asked for it.")
    if party is not None and party != client_id:
        raise Refused("The ID token was made for another client.")
    told = claims["nonce"]
    if not isinstance(told, str) or not told.isascii() or not hmac.compare_digest(told, nonce):
        raise Refused("The ID token belongs to another login.")
    subject = claims["sub"]
    if not (subject.isascii() and subject.isprintable() and subject.strip() and len(subject) <= MAX_SUBJECT):
        raise Refused("The ID token does not say who it is of.")


def address_in(claims: dict[str, Any], domains: list[str]) -> str:
    """The person's e-mail address, in lower case. Raises Refused unless the provider has verified it, and the tenant
    takes its domain. Entra ID says `xms_edov` in place of `email_verified`."""
    address = claims.get("email")
    if not isinstance(address, str) or not address:
        raise Refused("The provider told no e-mail address. Let it send the claim `email`.")
    said = claims["email_verified"] is True if "email_verified" in claims else claims.get("xms_edov") in TRUE_OF_ENTRA
    if not said:
        raise Refused("The provider does not say that the e-mail address is verified (`email_verified`).")
    try:
        validate_email(address)
    except ValidationError as error:
        raise Refused("The provider told something that is no e-mail address.") from error
    if not address.isascii():  # in lower case a Kelvin sign would be a k
        raise Refused("The provider told something that is no e-mail address.")
    address = address.lower()
    if address.rpartition("@")[2] not in domains:
        raise Refused("E-mail addresses of that domain are not let in.")
    return address
