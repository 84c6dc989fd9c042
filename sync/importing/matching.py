"""Which registry of Berth is meant by one that a file of another tool names."""

from __future__ import annotations

from collections.abc import Sequence

from registries.addresses import WrongAddress, normal_address
from registries.models import Registry
from sync.importing.imported import Code, Remark, Source


def meant(source: Source, known: Sequence[Registry]) -> Registry | None:
    """The one at its address, or whose images are called so by those who pull them.

    Else the only one at its host and port, which is asked by the other one of http and https: a file mostly says
    nothing of that.
    """
    by_address = [registry for registry in known if registry.url == _address(source.url)]
    by_name = [registry for registry in known if registry.public_name and registry.public_name == source.host]
    by_host = [registry for registry in known if _is_by_other_scheme(source, registry)]
    if found := by_address or by_name:
        return found[0]
    return by_host[0] if len(by_host) == 1 else None


def is_lowered(source: Source, registry: Registry) -> bool:
    """Whether the file says TLS, and what is meant would be asked without."""
    return source.says_tls and _is_by_other_scheme(source, registry)


def of_scheme(source: Source, registry: Registry) -> Remark | None:
    """What is to be said where it is asked by another scheme than the file has."""
    if is_lowered(source, registry) or not _is_by_other_scheme(source, registry):
        return None
    return Remark(source.where, source.line, Code.OTHER_SCHEME, f"{registry.name} ({registry.url})")


def _is_by_other_scheme(source: Source, registry: Registry) -> bool:
    scheme, _, rest = source.url.partition("://")
    return registry.url == _address(f"{'http' if scheme == 'https' else 'https'}://{rest}")


def _address(url: str) -> str:
    """In the form in which those of registries are kept; "" where it is none."""
    try:
        return normal_address(url, plain_http=True)
    except WrongAddress:
        return ""
