"""What the last probe of a registry found, in sentences, each with the cure where something is off."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from registries.environment import owners
from registries.finding import Finding, Mark
from registries.models import Registry
from registries.services import why_no_trust
from registries.source_findings import listing, pulls, quota, sign_in

__all__ = ["Finding", "Mark", "findings", "realm_host"]

_GENERATIONS: Final = {2: "distribution 2.8", 3: "distribution 3"}
# What OpenSSL calls an answer that is no TLS, by its version.
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_MANY_TAGS: Final = 100_000
_LOOPBACK: Final = ("127.", "localhost", "::1")


def findings(registry: Registry) -> list[Finding]:
    """The most important first; one sentence where it was never asked."""
    if not registry.capabilities:
        return [Finding(Mark.NOTE, _("Test"), _("Not tested"), _("It was not tested yet."))]
    if registry.capability("problem"):
        return [_problem(registry)]
    if registry.role == Registry.Role.SOURCE:
        return [
            _reach(registry),
            sign_in(registry) or _sign_in(registry),
            *pulls(registry),
            *quota(registry),
            *listing(registry),
            *_in_clear(registry),
        ]
    return [
        _reach(registry),
        *_slow_sign_in(registry),
        _sign_in(registry),
        _catalog(registry),
        *_storage(registry),
        _deletes(registry),
        *_in_clear(registry),
    ]


def realm_host(registry: Registry) -> str:
    """The host of the token service that the last probe met; nothing where it was allowed, or there is none."""
    return urlsplit(str(registry.capability("realm") or "")).netloc


def _problem(registry: Registry) -> Finding:
    """Why it cannot be used; by the `code` of the error."""
    topic = _("Reach")
    reason = str(registry.capability("reason"))
    match registry.capability("problem"):
        case "client-certificate":
            topic, short = _("Sign-in"), _("Client certificate")
            sentence, cure = _no_certificate(registry)
        case "proxy":
            short, sentence = _("Proxy"), _("Its proxy does not let Berth through.")
            cure = _("Look at the user name and the password of the proxy, and at its rules.")
        case "unreachable":
            short, sentence, cure = _unreachable(registry, reason)
        case "bad-answer" | "not-found" | "too-large":
            short, sentence = _("No registry"), _("What answers there is no registry.")
            cure = _("Its API has to be at %(url)s/v2/: look at the address.") % {"url": registry.url}
        case "foreign-realm":
            topic, short = _("Sign-in"), _("Token service")
            sentence = _("It asks for a token of %(host)s.") % {"host": realm_host(registry) or "…"}
            cure = _("Nothing is sent there until a person with staff rights says yes.")
            cure = why_no_trust(registry) or cure
            reason = ""  # it says the same again
        case "unauthorized":
            topic, short = _("Sign-in"), _("Sign-in fails")
            sentence, cure = _not_let_in(registry)
        case "denied":
            topic, short, sentence = _("Sign-in"), _("Refused"), _("It refuses us.")
            cure = _("Let this address or this user in at the registry.")
        case "invalid-name":
            topic, short, sentence = _("Settings"), _("Settings"), _("What is stored for it does not fit together.")
            cure = _("Edit it.")
        case _:
            short, sentence = _("Faulty"), _("It answers with a fault of its own.")
            cure = _("Its log says more. Then test again.")
    return Finding(Mark.NO, topic, short, sentence, cure, reason)


def _not_let_in(registry: Registry) -> tuple[str, str]:
    """Sentence and cure."""
    if "username" in owners(registry):
        sentence = _("It refuses the user name and password given.")
        return sentence, _("Look at BERTH_REGISTRY_USER and BERTH_REGISTRY_PASSWORD.")
    if registry.username:
        return _("It refuses the stored user name and password."), _("Give them anew.")
    return _("It asks for a user name and a password."), _("Give those of a user who may read everything.")


def _no_certificate(registry: Registry) -> tuple[str, str]:
    """Sentence and cure."""
    if registry.client_certificate:
        sentence = _("It does not trust the client certificate that Berth shows it.")
        if variable := owners(registry).get("client_certificate"):
            return sentence, _("Give one that its authority has signed, in %(variable)s.") % {"variable": variable}
        return sentence, _("Give one that its authority has signed.")
    sentence = _("It lets nobody in without a client certificate.")
    if registry.from_environment:
        return sentence, _("Give Berth one, and its key: BERTH_REGISTRY_CLIENT_CERT and BERTH_REGISTRY_CLIENT_KEY.")
    return sentence, _("Give Berth one, and its key.")


def _unreachable(registry: Registry, reason: str) -> tuple[str, str, str]:
    """Short, sentence and cure."""
    if registry.proxy and "the proxy" in reason:  # a host may have that word in its name
        return _("Proxy"), _("It cannot be reached by its proxy."), _("Is the proxy running, and may it go there?")
    if "TLS" not in reason:
        cure = _("Is it running, and can this server reach %(host)s?") % {"host": urlsplit(registry.url).netloc}
        return _("Unreachable"), _("It does not answer."), cure
    if not any(word in reason for word in _NO_TLS):
        cure = _("Give Berth the certificate of the authority that signed its own.")
        return _("Unreachable"), _("No trusted connection to it can be made."), cure
    cure = _("Write http:// before its address, and allow that.")
    if variable := owners(registry).get("plain_http"):
        cure = _("Write http:// before its address; beyond this machine %(variable)s=true allows it.")
        cure %= {"variable": variable}
    return _("Plain http"), _("It speaks plain http."), cure


def _reach(registry: Registry) -> Finding:
    name = _GENERATIONS.get(registry.capability("generation") or 0)
    sentence = _("Reachable, speaks the distribution API.")
    if name:
        sentence = _("Reachable, behaves like %(name)s.") % {"name": name}
    return Finding(Mark.OK, _("Reach"), name or _("Reachable"), sentence)


def _sign_in(registry: Registry) -> Finding:
    topic = _("Sign-in")
    match registry.capability("auth"):
        case "basic":
            return Finding(Mark.OK, topic, "", _("Asks for basic auth, and lets the stored user in."))
        case "bearer" if registry.realm:
            host = urlsplit(registry.realm).netloc
            sentence = _("Asks for a token of %(host)s, and takes the one we get.") % {"host": host}
            return Finding(Mark.OK, topic, "", sentence)
        case "bearer":
            return Finding(Mark.OK, topic, "", _("Asks for a token, and takes the one we get."))
        case _ if registry.username:
            sentence = _("Asks nobody who they are: the stored user name is never sent.")
            return Finding(Mark.NOTE, topic, "", sentence)
        case _ if registry.client_certificate:
            sentence = _("Asks for no password; it may know us by the client certificate that Berth shows it.")
            return Finding(Mark.OK, topic, "", sentence)
        case _:
            return Finding(Mark.NOTE, topic, "", _("Asks nobody who they are: whoever reaches it may read it."))


def _slow_sign_in(registry: Registry) -> list[Finding]:
    """A password that costs a registry much is paid anew with each request."""
    cost = int(registry.capability("slow_auth_ms") or 0)
    if not cost:
        return []
    hours, minutes = divmod(round(_MANY_TAGS * cost / 60_000), 60)
    sentence = _(
        "Each request costs it %(cost)s ms for the password alone (htpasswd, bcrypt): to ask for %(tags)s tags takes"
        " %(hours)s h %(minutes)s min of its processor."
    ) % {
        "cost": cost,
        "tags": number_format(_MANY_TAGS, force_grouping=True),
        "hours": hours,
        "minutes": minutes,
    }
    cure = _("A token service asks once; or make the hash a cheaper one: htpasswd -nbB -C 5 USER PASSWORD.")
    return [Finding(Mark.NO, _("Sign-in"), _("Slow sign-in"), sentence, cure)]


def _storage(registry: Registry) -> list[Finding]:
    """Whether the storage folder can be read from here; that it is the registry's own, each scan proves."""
    if not registry.storage:
        return []
    topic = _("Storage")
    if problem := str(registry.capability("storage_problem") or ""):
        sentence = _("Its storage folder cannot be read, so scans ask its API.")
        cure = _("Let Berth's user read it: it is what the registry's configuration calls rootdirectory.")
        return [Finding(Mark.NO, topic, _("No folder"), sentence, cure, problem)]
    if not registry.capability("generation"):
        sentence = _("It does not behave like distribution, so scans ask its API and leave its storage folder alone.")
        return [Finding(Mark.NOTE, topic, "", sentence)]
    sentence = _("Its storage folder can be read: scans read it, after they have proved that it is its own.")
    return [Finding(Mark.OK, topic, _("Storage folder"), sentence)]


def _catalog(registry: Registry) -> Finding:
    topic, allowed = _("Catalog"), registry.capability("catalog_allowed")
    if allowed and not registry.capability("page_size"):
        sentence = _("The catalog may be read, as many names a page as it likes.")
        return Finding(Mark.OK, topic, _("Catalog"), sentence)
    if allowed:
        size = number_format(registry.capability("page_size"), force_grouping=True)
        sentence = _("The catalog may be read, %(size)s names a page.") % {"size": size}
        return Finding(Mark.OK, topic, _("Catalog"), sentence)
    sentence = _("The catalog may not be read: the repositories that are watched are scanned, and no others are seen.")
    cure = _(
        "Name them on the page of the registry, or give the user the right registry:catalog:* at the token service, or"
        " let it read /v2/_catalog."
    )
    return Finding(Mark.NO, topic, _("No catalog"), sentence, cure)


def _deletes(registry: Registry) -> Finding:
    topic = _("Deletes")
    match registry.capability("deletes"):
        case True if registry.capability("deletes_tags"):
            return Finding(Mark.OK, topic, _("Deletes on"), _("Deletes are on, and a single tag can go."))
        case True:
            sentence = _(
                "Deletes are on, of whole images. Berth deletes a single tag by pointing it to a throwaway first; the"
                " other tags of its image stay."
            )
            return Finding(Mark.OK, topic, _("Deletes on"), sentence)
        case False:
            cure = _("Set REGISTRY_STORAGE_DELETE_ENABLED=true at the registry and start it anew.")
            return Finding(Mark.NO, topic, _("Deletes off"), _("Deletes are off."), cure)
        case _:
            sentence = _("Whether anything can be deleted could not be told.")
            return Finding(Mark.NOTE, topic, "", sentence, why=str(registry.capability("reason") or ""))


def _in_clear(registry: Registry) -> list[Finding]:
    parts = urlsplit(registry.url)
    if parts.scheme == "https" or not registry.username or (parts.hostname or "").startswith(_LOOPBACK):
        return []
    sentence = _("The password travels unencrypted.")
    cure = _("Serve the registry with TLS, then give its https:// address.")
    return [Finding(Mark.NO, _("Secrecy"), _("Unencrypted"), sentence, cure)]
