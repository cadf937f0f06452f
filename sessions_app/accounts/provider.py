"""What is asked of a tenant's OpenID provider: what it offers (discovery), its keys, and an ID token for a code.

Its addresses are the tenant's to write, so all of it goes through `sessions_app.outgoing`.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

from django.conf import settings
from django.core.cache import cache

from sessions_app import outgoing
from sessions_app.accounts.id_token import KINDS, Refused, UnknownKey, verified
from sessions_app.accounts.models import SingleSignOn
from sessions_app.outgoing import OutgoingFailed, OutgoingRefused

WELL_KNOWN: Final = "/.well-known/openid-configuration"
KEPT_S: Final = 300
"""So long what a provider published is not asked for again."""
SCOPE: Final = "openid email"


@dataclass(frozen=True, slots=True)
class Provider:
    """`basic`: the client secret goes into the header, not the form. `names_itself`: RFC 9207."""

    authorization: str
    token: str
    keys: str
    basic: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login under way, as the browser's own session keeps it."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str

    @property
    def challenge(self) -> str:
        """RFC 7636, S256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def discovered(sso: SingleSignOn, *, anew: bool = False) -> Provider:
    """Blocks. Raises Refused when there is no provider there, or none that can be used."""
    return judged(_published(checked_issuer(sso.issuer).rstrip("/") + WELL_KNOWN, sso, anew), sso.issuer)


def checked_issuer(text: str) -> str:
    """What can be seen of one without asking anybody. Raises Refused."""
    secure("The issuer", text)
    if "?" in text or "#" in text:
        raise Refused("Leave ? and # out of the issuer.")
    return text


def secure(what: str, url: Any) -> str:
    """HTTPS, or plain HTTP to an address of this house that GOASSIST_OUTGOING_NETWORKS opens. Raises Refused."""
    try:
        target = outgoing.checked(url if isinstance(url, str) else "")
    except OutgoingRefused as error:
        raise Refused(f"{what} cannot be used: {error}") from error
    if target.scheme != "https" and not _of_the_house(target.host):
        raise Refused(f"{what} must begin with https://.")
    return str(url)


def _of_the_house(host: str) -> bool:
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return False
    return any(address in ip_network(network) for network in settings.GOASSIST.goassist_outgoing_networks)


def judged(document: dict[str, Any], issuer: str) -> Provider:
    """What OpenID Connect Discovery 1.0 says, as far as we need it. Raises Refused."""
    if document.get("issuer") != issuer:
        raise Refused(f"There the issuer calls itself {str(document.get('issuer'))[:300]!r}. Write it exactly so.")
    _offers(document, "response_types_supported", {"code"}, "the authorization code flow", ["code"])
    _offers(document, "id_token_signing_alg_values_supported", set(KINDS), f"one of {', '.join(KINDS)}", ["RS256"])
    _offers(document, "code_challenge_methods_supported", {"S256"}, "PKCE with S256", ["S256"])
    ways = _list(document, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not {"client_secret_basic", "client_secret_post"} & set(ways):
        raise Refused("The provider takes no client secret (client_secret_basic or client_secret_post).")
    return Provider(
        secure("The provider's authorization endpoint", document.get("authorization_endpoint")),
        secure("The provider's token endpoint", document.get("token_endpoint")),
        secure("The address of the provider's keys", document.get("jwks_uri")),
        "client_secret_basic" in ways,
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _offers(document: dict[str, Any], name: str, wanted: set[str], words: str, otherwise: list[str]) -> None:
    if not wanted & set(_list(document, name, otherwise)):
        raise Refused(f"The provider does not offer {words} ({name}).")


def _list(document: dict[str, Any], name: str, otherwise: list[str]) -> list[str]:
    told = document.get(name, otherwise)
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []


def where_to(provider: Provider, sso: SingleSignOn, attempt: Attempt) -> str:
    """The address at the provider where the person logs in."""
    asked = {
        "response_type": "code",
        "client_id": sso.client_id,
        "redirect_uri": attempt.redirect_uri,
        "scope": SCOPE,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    address = provider.authorization.partition("#")[0]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked, quote_via=quote)}"


def claims_for(provider: Provider, sso: SingleSignOn, attempt: Attempt, code: str) -> dict[str, Any]:
    """Of the person who came back with this code. Blocks. Raises Refused."""
    token = _token(provider, sso, attempt, code)
    wanted = {"issuer": sso.issuer, "client_id": sso.client_id, "nonce": attempt.nonce}
    try:
        return verified(token, _keys(provider, sso, anew=False), **wanted)
    except UnknownKey:
        return verified(token, _keys(provider, sso, anew=True), **wanted)


def _token(provider: Provider, sso: SingleSignOn, attempt: Attempt, code: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        secret = sso.unsealed()
    except ValueError as error:
        raise Refused(str(error)) from error
    if provider.basic:  # RFC 6749, section 2.3.1
        pair = f"{quote_plus(sso.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": sso.client_id, "client_secret": secret}
    return _json("POST", provider.token, headers, urlencode(form).encode()).get("id_token")


def _keys(provider: Provider, sso: SingleSignOn, *, anew: bool) -> list[Any]:
    keys = _published(provider.keys, sso, anew).get("keys")
    if not isinstance(keys, list):
        raise Refused("The provider publishes no keys.")
    return keys


def _published(url: str, sso: SingleSignOn, anew: bool) -> dict[str, Any]:
    """Kept for each tenant by itself."""
    place = "sso:" + hashlib.sha256(f"{sso.tenant_id} {url}".encode()).hexdigest()
    document: dict[str, Any] | None = None if anew else cache.get(place)
    if document is None:
        document = _json("GET", url, {"Accept": "application/json"})
        cache.set(place, document, KEPT_S)
    return document


def _json(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> dict[str, Any]:
    try:
        answer = outgoing.send(method, url, headers=headers, content=body)
    except OutgoingRefused as error:
        raise Refused(f"The provider cannot be asked: {error}") from error
    except OutgoingFailed as error:
        raise Refused(f"The provider does not answer ({error}).") from error
    if answer.status != 200:
        raise Refused(f"The provider answers {answer.status} at {url.partition('?')[0][:200]}.")
    if len(answer.body) >= outgoing.MAX_ANSWER_BYTES:
        raise Refused("The provider's answer is longer than 64 KiB.")
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Refused(f"The provider's answer at {url.partition('?')[0][:200]} is no JSON.") from error
    if not isinstance(told, dict):
        raise Refused("The provider's answer is no JSON object.")
    return told
