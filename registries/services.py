"""The verbs: add a registry, edit it, retire it, trust its token service.

A password goes to the address that it was given for, and to no other. What retired from an address comes back with
its catalog when that address is named again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry
from registries import rows
from registries.addresses import WrongAddress, free_name, name_before, name_from, normal_address, retired_name
from registries.details import Details, RegistryNotSaved, check_pair, checked_address
from registries.models import Registry
from registries.noting import Person, note

__all__ = [
    "Details",
    "Edited",
    "RegistryNotSaved",
    "add",
    "edit",
    "retire",
    "retired_from",
    "trust_realm",
    "why_no_trust",
]


@dataclass(frozen=True, slots=True)
class Edited:
    """The row that is active now, and the one that was at the old address.

    That one retired with its catalog; where nothing had been read from it, it is gone (`was_read` is false).
    """

    registry: Registry
    left: Registry | None = None
    was_read: bool = False


_NOTED: Final = (
    *("name", "url", "public_name", "username", "password", "realm", "ca"),
    *("client_certificate", "client_key", "plain_http", "storage", "role", "preset", "proxy"),
    *("at_once", "requests_per_second", "bytes_per_second", "quota_floor"),
)


def add(
    details: Details,
    *,
    from_environment: bool = False,
    embedded: bool = False,
    leaving: Collection[str] = (),
    by: Person | None = None,
) -> Registry:
    """The new row, or the one that had retired from that address. Raises RegistryNotSaved.

    `leaving`: the job subjects of those that are being removed, which do not come back. `by` asked for it.
    """
    url = checked_address(details)
    check_pair(url, details.client_certificate, details.client_key or "")
    _refuse_a_second(url)
    with transaction.atomic():
        if not embedded and (returning := retired_from(url, leaving, details.role)):
            name = details.name or name_before(returning.name)
            registry = rows.begin_anew(returning, details, name, url, from_environment=from_environment)
        else:
            name = details.name or free_name(name_from(url, embedded=embedded))
            registry = rows.create(details, name, url, from_environment=from_environment, embedded=embedded)
        note(Entry.Act.REGISTRY_ADD, registry, by)
    return registry


def edit(registry: Registry, details: Details, *, leaving: Collection[str] = (), by: Person | None = None) -> Edited:
    """Change a registry. Raises RegistryNotSaved. For `leaving` and `by` see `add`.

    Another address is another registry: the row retires with its catalog, and a new one takes the
    name, or the one that had retired from there. No credential goes along unless it was given in
    this very form. A source has no catalog: its row stays, with the rules that copy from it.
    """
    url = checked_address(details)
    with transaction.atomic():
        registry = Registry.objects.select_for_update().get(pk=registry.pk)
        if registry.retired_at is not None:
            raise RegistryNotSaved("url", _("A retired registry can only be removed."))
        name = details.name or registry.name
        moves = url != registry.url and not registry.embedded
        _check_identity(registry, details, url, moves=moves)
        if details.role == Registry.Role.SOURCE != registry.role:
            raise RegistryNotSaved("role", _("One of ours stays one, since its catalog does: add the source apart."))
        if url != registry.url:
            _refuse_a_second(url)
        before = _noted(registry)
        edited = _move(registry, details, name, url, leaving) if moves else Edited(registry)
        if not moves:
            rows.rename(registry, name)
            rows.update(registry, details, url)
        if changed := [field for field, value in _noted(edited.registry).items() if value != before[field]]:
            note(Entry.Act.REGISTRY_CHANGE, edited.registry, by, *changed)
    return edited


def _noted(registry: Registry) -> dict[str, object]:
    """The fields of which the audit says that they were changed."""
    return {field: getattr(registry, field) for field in _NOTED}


def _check_identity(registry: Registry, details: Details, url: str, *, moves: bool) -> None:
    """Whether the client certificate and the key that it will have fit; the stored key stays at its address.

    What stays as it was is not looked at again: a key that cannot be decrypted any more is in nobody's way.
    """
    key = details.client_key
    if key is None and details.client_certificate.strip() == registry.client_certificate.strip():
        return
    if key is None:
        key = registry.client_key if details.client_certificate and not moves else ""
    check_pair(url, details.client_certificate, key)


def retire(registry: Registry, *, give_up_name: bool) -> None:
    """Keep the catalog to read, scan it never again, and forget the credentials."""
    if give_up_name:
        registry.name = retired_name(registry.name)
    rows.write(
        registry,
        name=registry.name,
        retired_at=timezone.now(),
        from_environment=False,
        **rows.NO_CREDENTIALS,
    )


def retired_from(url: str, leaving: Collection[str] = (), role: str | None = None) -> Registry | None:
    """The last one that retired from that address, our own storage apart; where nothing is said, it was one of ours."""
    there = Registry.objects.filter(url=url, embedded=False, role=role or Registry.Role.CATALOG)
    retired = there.exclude(retired_at=None).order_by("-retired_at")
    return next((row for row in retired if row.job_subject not in leaving), None)


def trust_realm(registry: Registry, realm: str, by: Person | None = None) -> None:
    """Pin the token service that may see the credentials: only the one that the last probe met.

    The yes is for that one; where another had been pinned, the stored credentials were given for
    it and are wiped. Raises RegistryNotSaved.
    """
    with transaction.atomic():
        registry.refresh_from_db(from_queryset=Registry.objects.select_for_update())
        if not realm or realm != registry.capability("realm"):
            raise RegistryNotSaved("realm", _("The registry names another token service now. Test it again."))
        if problem := why_no_trust(registry):
            raise RegistryNotSaved("realm", problem)
        if registry.realm == realm:
            return
        if registry.realm:
            rows.write(registry, username="", password="")
        rows.write(registry, realm=realm)
        note(Entry.Act.REGISTRY_CHANGE, registry, by, "realm")


def why_no_trust(registry: Registry) -> str:
    """Why nobody can say yes to the token service that the last probe met; nothing when somebody can."""
    realm = str(registry.capability("realm") or "")
    try:
        normal_address(realm, plain_http=registry.url.startswith("http:"))
    except WrongAddress as error:
        return _("Its token service cannot be trusted: %(why)s") % {"why": error}
    return ""


def _refuse_a_second(url: str) -> None:
    other = Registry.objects.connected().filter(url=url).first()
    if other is not None:
        raise RegistryNotSaved("url", _("%(name)s is at that address already.") % {"name": other.name})


def _is_referred_to(registry: Registry) -> bool:
    """Whether something was read from it, or is to be copied to it: that would be lost with its row."""
    return registry.repositories.exists() or registry.rules_to_here.exists() or registry.rules_from_here.exists()


def _move(registry: Registry, details: Details, name: str, url: str, leaving: Collection[str]) -> Edited:
    """Put another registry in the place of this one: a new row, or one that had retired from there."""
    from_environment, was_read = registry.from_environment, _is_referred_to(registry)
    proxy = registry.proxy if details.proxy is None else details.proxy  # it is ours, wherever it leads
    details = replace(details, proxy=proxy, role=details.role or registry.role)
    if registry.role == Registry.Role.SOURCE:
        return Edited(rows.begin_anew(registry, details, name, url, from_environment=from_environment))
    if was_read:
        retire(registry, give_up_name=name == registry.name)
    else:
        Registry.objects.filter(pk=registry.pk).delete()  # `registry` keeps its key, for whoever stops its jobs
    if returning := retired_from(url, [*leaving, registry.job_subject]):
        new = rows.begin_anew(returning, details, name, url, from_environment=from_environment)
    else:
        new = rows.create(details, name, url, from_environment=from_environment, embedded=False)
    return Edited(new, left=registry, was_read=was_read)
