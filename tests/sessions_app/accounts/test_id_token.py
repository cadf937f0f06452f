"""Answers and tokens that somebody bent, forged or took from elsewhere: none of them logs anybody in."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.accounts.id_token import LEEWAY_S, Refused, address_in, verified
from tests.fakes.provider import CLIENT, OTHER_RSA, RSA, jwk
from tests.sessions_app.accounts.sign_on import log_in, logged_in_as, refused

pytestmark = pytest.mark.django_db
NOW = int(time.time())


def part(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def public_pem():
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return RSA.public_key().public_bytes(serialization.Encoding.PEM, kind)


def hmac_signed(claims, secret, algorithm="HS256"):
    """As PyJWT itself refuses to make it."""
    signed = f"{part({'alg': algorithm, 'kid': 'r1', 'typ': 'JWT'})}.{part(claims)}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def signed_small(claims):
    """As PyJWT itself refuses to make it."""
    signed = f"{part({'alg': 'RS256', 'kid': 'r1'})}.{part(claims)}"
    return f"{signed}.{part(SMALL_RSA.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def raw(header):
    """Headers that PyJWT would not write."""

    def sign(claims):
        signed = f"{part(header)}.{part(claims)}"
        return f"{signed}.{part(RSA.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    return sign


def by(key, algorithm, **header):
    return lambda claims: jwt.encode(claims, key, algorithm, headers={"kid": "r1", **header})


def resigned(change):
    """A good token, changed after it was signed."""

    def sign(claims):
        head, body, signature = jwt.encode(claims, RSA, "RS256", headers={"kid": "r1"}).split(".")
        return ".".join(change(head, body, signature))

    return sign


def with_sub(body, sub):
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    return part({**told, "sub": sub})


SMALL_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
OTHER_EC = ec.generate_private_key(ec.SECP256R1())
SIGNED = {
    "alg none": lambda claims: f"{part({'alg': 'none', 'kid': 'r1'})}.{part(claims)}.",
    "alg None": lambda claims: f"{part({'alg': 'None', 'kid': 'r1'})}.{part(claims)}.",
    "alg none, signed": lambda claims: f"{part({'alg': 'none', 'kid': 'r1'})}.{part(claims)}.{part(b'x' * 256)}",
    "no alg": lambda claims: f"{part({'kid': 'r1'})}.{part(claims)}.{part(b'x' * 256)}",
    "alg is a list": lambda claims: f"{part({'kid': 'r1', 'alg': ['RS256']})}.{part(claims)}.{part(b'x' * 256)}",
    "HS256 with the public key": lambda claims: hmac_signed(claims, public_pem()),
    "HS256 with the key's JWK": lambda claims: hmac_signed(claims, json.dumps(jwk(RSA, "r1")).encode()),
    "HS256 with the client secret": lambda claims: hmac_signed(claims, b"s3cret/+ % word"),
    "HS256 called RS256": lambda claims: hmac_signed(claims, public_pem(), "RS256"),
    "another key": by(OTHER_RSA, "RS256"),
    "another key, told in the header": by(OTHER_RSA, "RS256", jwk=jwk(OTHER_RSA, "r1")),
    "another key, told by address": by(OTHER_RSA, "RS256", jku="https://evil.example/keys"),
    "another key, its certificate told": by(OTHER_RSA, "RS256", x5c=["MIIB"], x5u="https://evil.example/x"),
    "another curve key": by(OTHER_EC, "ES256", kid="e1"),
    "unknown kid": by(RSA, "RS256", kid="r9"),
    "kid of the other kind": by(RSA, "RS256", kid="e1"),
    "no kid": lambda claims: jwt.encode(claims, RSA, "RS256"),
    "empty kid": by(RSA, "RS256", kid=""),
    "kid is a path": by(RSA, "RS256", kid="../../keys"),
    "an algorithm that is not taken": by(RSA, "PS512"),
    "a critical extension": raw({"alg": "RS256", "kid": "r1", "crit": ["x"], "x": 1}),
    "no signature": resigned(lambda head, body, signature: (head, body, "")),
    "half a signature": resigned(lambda head, body, signature: (head, body, signature[: len(signature) // 2])),
    "another subject": resigned(lambda head, body, signature: (head, with_sub(body, "p2"), signature)),
    "a part more": resigned(lambda head, body, signature: (head, body, signature, signature)),
    "not a token": lambda claims: "no.token.at all",
    "empty": lambda claims: "",
    "a number": lambda claims: 7,
    "nothing": lambda claims: None,
    "an object": lambda claims: {"alg": "none"},
    "claims are a list": lambda claims: jwt.api_jws.encode(b"[1]", RSA, "RS256", headers={"kid": "r1"}),
    "claims are nested deeply": lambda claims: jwt.api_jws.encode(
        b'{"a":' * 5000 + b"1" + b"}" * 5000, RSA, "RS256", headers={"kid": "r1"}
    ),
}
CLAIMS = {
    "another issuer": {"iss": "https://evil.example"},
    "the issuer with a slash": {"iss": "/"},
    "no issuer": {"iss": ...},
    "issuers in a list": {"iss": ["x"]},
    "another audience": {"aud": "other"},
    "another audience in a list": {"aud": ["other"]},
    "no audience": {"aud": ...},
    "several audiences and nobody who asked": {"aud": [CLIENT, "other"]},
    "several audiences, another asked": {"aud": [CLIENT, "other"], "azp": "other"},
    "another asked": {"azp": "other"},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": ...},
    "nonce is a number": {"nonce": 1},
    "nonce in a list": {"nonce": ["x"]},
    "over": {"exp": NOW - LEEWAY_S - 5},
    "no end": {"exp": ...},
    "an end beyond numbers": {"exp": float("inf")},
    "the end in words": {"exp": "tomorrow"},
    "made in the future": {"iat": NOW + 600},
    "not made": {"iat": ...},
    "not yet": {"nbf": NOW + 600},
    "no subject": {"sub": ...},
    "empty subject": {"sub": ""},
    "blank subject": {"sub": " "},
    "subject is a number": {"sub": 1},
    "a long subject": {"sub": "x" * 256},
    "a subject that no database keeps": {"sub": "p1\0"},
    "a subject that is no text": {"sub": "\ud800"},
    "a nonce that is no text": {"nonce": "\ud800"},
    "no address": {"email": ...},
    "address not verified": {"email_verified": False},
    "address said to be verified in words": {"email_verified": "true"},
    "address verified is not told": {"email_verified": ...},
    "Entra ID does not know the address": {"email_verified": ..., "xms_edov": False},
    "unverified, whatever else is told": {"email_verified": False, "xms_edov": True},
    "addresses in a list": {"email": ["user@example.com"]},
    "another domain": {"email": "user@evil.example"},
    "the domain within another": {"email": "user@example.com.evil.example"},
    "a domain that ends alike": {"email": "user@notexample.com"},
    "a domain below": {"email": "user@sub.example.com"},
    "two addresses": {"email": "user@evil.example,user@example.com"},
    "a second @": {"email": "user@evil.example@example.com"},
    "an address in letters that become others": {"email": "\u212aim@example.com"},
}


@pytest.mark.parametrize("how", SIGNED)
def test_a_forged_token_lets_nobody_in(business, provider, how):
    provider.sign = SIGNED[how]
    assert refused(business[0], provider, business[1])


@pytest.mark.parametrize("how", CLAIMS)
def test_a_bent_token_lets_nobody_in(business, provider, how):
    provider.claims = dict(CLAIMS[how])
    if provider.claims.get("iss") == "/":
        provider.claims["iss"] = provider.issuer + "/"
    assert refused(business[0], provider, business[1])


@pytest.mark.parametrize("how", [how for how, claims in CLAIMS.items() if {"email", "email_verified"} & set(claims)])
def test_a_bent_address_is_none_even_of_a_member(how):
    claims = {"email": "user@example.com", "email_verified": True}
    assert address_in(claims, ["example.com"]) == "user@example.com"
    with pytest.raises(Refused):
        address_in({name: told for name, told in {**claims, **CLAIMS[how]}.items() if told is not ...}, ["example.com"])


GOOD = {
    "several audiences, and we asked": {"aud": [CLIENT, "other"], "azp": CLIENT},
    "just over, by clocks that differ": {"exp": NOW - 5},
    "made a moment from now": {"iat": NOW + 30},
    "Entra ID": {"email_verified": ..., "xms_edov": "1"},
}


@pytest.mark.parametrize("how", GOOD)
def test_what_is_allowed_lets_in(business, provider, how):
    provider.claims = GOOD[how]
    client, _ = log_in(business[0], provider, sub="p1", email=business[1].email)
    assert logged_in_as(client) == str(business[1].pk)


KEYS = {
    "for encryption": [jwk(RSA, "r1", use="enc")],
    "for another algorithm": [jwk(RSA, "r1", alg="PS256")],
    "for signing only": [jwk(RSA, "r1", key_ops=["sign"])],
    "a secret shared key": [{"kty": "oct", "kid": "r1", "k": "eHh4"}],
    "too short": [jwk(SMALL_RSA, "r1")],
    "not a number": [{"kty": "RSA", "kid": "r1", "n": "!", "e": "AQAB"}],
    "no number": [{"kty": "RSA", "kid": "r1", "e": "AQAB"}],
    "zero": [{"kty": "RSA", "kid": "r1", "n": "AA", "e": "AQAB"}],
    "no list": {"r1": 1},
    "words": ["r1", 7, None],
    "none": [],
}


@pytest.mark.parametrize("which", KEYS)
def test_keys_that_are_none_let_nobody_in(business, provider, which):
    if which == "too short":
        provider.sign = signed_small
    provider.keys = KEYS[which]
    assert refused(business[0], provider, business[1])


def test_a_new_key_is_fetched_once(business, provider):
    tenant, person = business
    log_in(tenant, provider, sub="p1", email=person.email)
    provider.asked.clear()
    provider.keys, provider.sign = [jwk(OTHER_RSA, "r2")], by(OTHER_RSA, "RS256", kid="r2")
    client, _ = log_in(tenant, provider, sub="p1", email=person.email)
    assert logged_in_as(client) == str(person.pk)
    provider.sign = by(OTHER_RSA, "RS256", kid="r3")
    assert refused(tenant, provider, person)
    assert provider.asked == ["token", "keys", "token", "keys"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    token=st.one_of(
        st.text(), st.binary().map(part), st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join)
    ),
    keys=st.lists(
        st.dictionaries(st.sampled_from(["kty", "kid", "n", "e", "crv", "x", "y", "use", "alg"]), st.text(max_size=9))
    ),
)
def test_whatever_comes_is_refused_and_nothing_else_happens(token, keys):
    with pytest.raises(Refused):
        verified(token, keys, issuer="https://x.example", client_id="c", nonce="n")
