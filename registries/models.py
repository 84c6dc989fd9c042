"""The row of a registry."""

from __future__ import annotations

from typing import Any, Final, Self
from urllib.parse import urlsplit

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.models import EventStream
from oci.errors import InvalidName
from oci.proxy import Proxy
from registries.encrypted import EncryptedTextField

NAME_PATTERN = r"[a-z0-9]+(?:-[a-z0-9]+)*"
NAME_LENGTH = 40
RESERVED_NAMES = frozenset({"add"})  # /registries/add is the page that adds them
STORAGE_LENGTH = 1000
URL_LENGTH = 500
USERNAME_LENGTH = 255
_FOR_ASKING: Final = (
    *("username", "password", "realm", "ca", "client_certificate", "client_key"),
    *("from_environment", "embedded", "role", "preset", "proxy", "capabilities", "probed_at", "created_at"),
    *("at_once", "requests_per_second", "bytes_per_second", "quota_floor"),
)
_name_rule = RegexValidator(rf"^{NAME_PATTERN}\Z", _("Small letters, digits and single hyphens."))


class RegistryQuerySet(models.QuerySet["Registry"]):
    def active(self) -> Self:
        """Those of ours that are scanned and shown; what is only copied from is none of them."""
        return self.connected().catalogs()

    def connected(self) -> Self:
        """Not retired, whatever they are for."""
        return self.filter(retired_at=None)

    def catalogs(self) -> Self:
        """Ours, the retired ones too."""
        return self.filter(role=Registry.Role.CATALOG)

    def sources(self) -> Self:
        """Those that are only copied from."""
        return self.connected().filter(role=Registry.Role.SOURCE)

    def with_last_event(self) -> Self:
        """Each with `last_event`: when it last told of something, None where it never did."""
        streams = EventStream.objects.filter(registry_id=OuterRef("pk"))
        return self.annotate(last_event=Subquery(streams.values("last_at")))

    def by_name(self) -> Self:
        return self.order_by(F("retired_at").asc(nulls_first=True), "name")


class Registry(models.Model):
    """A registry at one address. Another address is another registry: the old row retires, its catalog stays."""

    class Role(models.TextChoices):
        CATALOG = "catalog", _("ours")  # scanned and shown; it may be copied from too
        SOURCE = "source", _("a source")  # only copied from: no list, count or search knows it

    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[_name_rule])  # in our URLs
    url = models.CharField(max_length=URL_LENGTH)  # as Berth reaches it, without a trailing slash
    public_name = models.CharField(max_length=255, blank=True)  # as clients type it: "registry.example.org"
    username = models.CharField(max_length=USERNAME_LENGTH, blank=True)
    password = EncryptedTextField(blank=True)
    realm = models.CharField(max_length=500, blank=True)  # the one token service that may see the password
    ca = models.TextField(blank=True)  # PEM
    client_certificate = models.TextField(blank=True)  # PEM, shown to the registry's own origin and to no other
    client_key = EncryptedTextField(blank=True)  # PEM
    plain_http = models.BooleanField(default=False)
    storage = models.CharField(max_length=STORAGE_LENGTH, blank=True)  # its storage folder, as this machine sees it
    from_environment = models.BooleanField(default=False)  # the row that follows the options of `./run`
    embedded = models.BooleanField(default=False)  # the local registry in our own data folder
    role = models.CharField(max_length=10, choices=Role, default=Role.CATALOG)
    preset = models.CharField(max_length=40, blank=True)  # the well-known service that it is
    # http://[user:password@]host:port, by which alone it is asked: one that cannot be read is not gone past either.
    proxy = EncryptedTextField(blank=True, unreadable="?")
    at_once = models.PositiveSmallIntegerField(null=True, blank=True)  # requests; these limits are None for none
    requests_per_second = models.FloatField(null=True, blank=True)
    bytes_per_second = models.BigIntegerField(null=True, blank=True)
    quota_floor = models.PositiveIntegerField(default=0)  # pulls that stay for others, of those that it grants
    capabilities = models.JSONField(default=dict)  # what the last probe found
    probed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, blank=True)
    closed_since = models.DateTimeField(null=True, blank=True)  # while a garbage collection needs it read-only
    closed_by = models.CharField(max_length=255, blank=True)  # who wanted that; "": a schedule

    objects = RegistryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["url"], condition=models.Q(retired_at=None), name="one_active_registry_at_an_address"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sync-source" if self.role == self.Role.SOURCE else "registry", args=[self.name])

    @property
    def pull_host(self) -> str:
        """What stands before the repository in a pull command."""
        if self.public_name:
            return self.public_name
        parts = urlsplit(self.url)
        return (parts.netloc + parts.path).rstrip("/")

    @property
    def proxy_shown(self) -> str:
        """Host and port of its proxy: who we are there is nobody's to see."""
        try:
            return str(Proxy.parse(self.proxy)) if self.proxy else ""
        except InvalidName:
            return ""

    @property
    def job_subject(self) -> str:
        return f"registry:{self.pk}"

    def capability(self, name: str) -> Any:
        return self.capabilities.get(name)


class EventSecret(models.Model):
    """What a registry shows when it tells Berth what has happened; kept so that nobody can show it who reads this."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="event_secrets")
    name = models.CharField(max_length=NAME_LENGTH)  # of the registry when it was issued: in the address that it calls
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 in hex: it is random, and long enough for that
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"of {self.name}, {self.created_at:%Y-%m-%d}"


def for_asking(registry: str) -> list[str]:
    """What only who asks a registry, or sets it up, needs of it, to be deferred: `registry` is the way to it.

    A list would read it with every row, and decipher passwords that nobody sees.
    """
    return [f"{registry}__{name}" for name in _FOR_ASKING]
