"""What regsync's configuration says of registries (regclient.org, "Host configuration")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sync.importing.document import Field
from sync.importing.imported import TEMPLATE, Code, Collected, address_of, api_of, host_of

_KNOWN: Final = frozenset({"registry", "hostname", "user", "pass", "tls", "reqPerSec", "reqConcurrent"})
_CODES: Final = {
    **dict.fromkeys(("regcert", "clientCert", "clientKey"), Code.CERTIFICATE),
    **dict.fromkeys(("token", "credHelper", "credExpire", "credHost"), Code.NOT_HERE),
    **dict.fromkeys(("mirrors", "pathPrefix", "priority", "api", "apiOpts", "scheme", "dns"), Code.NOT_HERE),
    **dict.fromkeys(("blobChunk", "blobMax", "repoAuth"), Code.NOT_NEEDED),
}
_TLS: Final = frozenset({"", "enabled", "disabled", "insecure"})


def read_creds(collected: Collected, at: Field) -> None:
    """Raises NotImported."""
    cred = at.mapping()
    collected.look_over(cred, _KNOWN, _CODES)
    name = cred.get("registry", at)
    if TEMPLATE in name.text():
        return collected.remark(name, Code.TEMPLATE)
    host = host_of(name, name.text())
    tls = cred["tls"].text().lower() if "tls" in cred else ""
    if tls not in _TLS:
        collected.remark(cred["tls"], Code.UNKNOWN)
    elif tls == "insecure":
        collected.remark(cred["tls"], Code.INSECURE)
    is_plain = tls == "disabled"
    api = cred.get("hostname")
    known = collected.source(name, host)
    source = replace(
        known,
        url=address_of(api or name, api.text() if api else api_of(host), plain_http=is_plain),
        username=_credential(collected, cred, "user") or known.username,
        password=_credential(collected, cred, "pass") or known.password,
        plain_http=is_plain,
        says_tls=tls in {"enabled", "insecure"},
        at_once=int(_number(cred, "reqConcurrent")) or known.at_once,
        requests_per_second=_number(cred, "reqPerSec") or known.requests_per_second,
    )
    return collected.keep(source)


def _credential(collected: Collected, cred: Mapping[str, Field], name: str) -> str:
    text = cred[name].text() if name in cred else ""
    if TEMPLATE in text:
        collected.remark(cred[name], Code.TEMPLATE)  # without its text: it may be one in part only
        return ""
    return text


def _number(cred: Mapping[str, Field], name: str) -> float:
    return cred[name].number() if name in cred else 0
