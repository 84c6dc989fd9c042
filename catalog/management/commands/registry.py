from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import removal, watching
from catalog.management.reading import WHERE, password, pem
from jobs.models import Job
from registries import services
from registries.environment import owners
from registries.findings import Mark, findings
from registries.models import Registry
from registries.presets import ANY, preset_at
from registries.probing import probe
from registries.services import Details, RegistryNotSaved

_WATCHING = {
    "watch": "repositories to scan where the catalog may not be read",
    "unwatch": "take them from that list",
    "watched": "the list",
}
_FIELDS = {
    "url": "url",
    "public": "public_name",
    "user": "username",
    "password_from": "password",
    "ca": "ca",
    "client_cert": "client_certificate",
    "client_key": "client_key",
    "storage": "storage",
    "plain_http": "plain_http",
    "no_credentials": "username",
    "no_ca": "ca",
    "no_client_cert": "client_certificate",
    "no_storage": "storage",
}
# What forgets something, and what says it anew.
_CONTRARY = {
    "no_credentials": ("user", "password_from"),
    "no_ca": ("ca",),
    "no_client_cert": ("client_cert", "client_key"),
    "no_storage": ("storage",),
}
_MARKS = {Mark.OK: "+", Mark.NO: "!", Mark.NOTE: " "}


class Command(BaseCommand):
    help = "The registries that Berth knows: list, add, edit, test, remove; watch, unwatch, watched."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listing = verbs.add_parser("list", help="all of them, with what the last test found")
        listing.add_argument("--sources", action="store_true", help="those that are only copied from")
        add = verbs.add_parser("add", help="add one, and test it")
        add.add_argument("url", help="https://registry.example.org")
        add.add_argument("--source", action="store_true", help="only copy from it; what is in it is not shown")
        edit = verbs.add_parser("edit", help="change one; another address is another registry")
        edit.add_argument("registry")
        edit.add_argument("--url", help="the new address; the old registry stays, to be read")
        edit.add_argument("--no-credentials", action="store_true", help="forget user name and password")
        edit.add_argument("--no-ca", action="store_true")
        edit.add_argument("--no-client-cert", action="store_true", help="forget the client certificate and its key")
        edit.add_argument("--no-storage", action="store_true", help="ask its API, whatever folder there is")
        for verb in (add, edit):
            _add_details(verb)
        test = verbs.add_parser("test", help="ask it what it can do; changes nothing there")
        test.add_argument("registry")
        test.add_argument("--trust", metavar="ORIGIN", help="send the credentials to this token service")
        for word, what in _WATCHING.items():
            about_watching = verbs.add_parser(word, help=what)
            about_watching.add_argument("registry")
            if word != "watched":
                about_watching.add_argument("repository", nargs="+")
        remove = verbs.add_parser("remove", help="forget one and its catalog; nothing is removed at the registry")
        remove.add_argument("registry")
        remove.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except RegistryNotSaved as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        rows = Registry.objects.sources() if options["sources"] else Registry.objects.catalogs()
        registries = list(rows.by_name())
        if not registries:
            noun, more = ("source", " --source") if options["sources"] else ("registry", "")
            self.stdout.write(f"No {noun} yet: ./run manage registry add https://registry.example.org{more}")
            return
        self._table([("NAME", "ADDRESS", "STATE"), *((r.name, r.url, _state(r)) for r in registries)])

    def _add(self, options: dict[str, Any]) -> None:
        if options["source"]:
            _refuse_of_a_source(options)
        secret = password(options["password_from"] or ("prompt" if options["user"] else None))
        details = Details(
            url=options["url"],
            name=options["name"] or "",
            public_name=options["public"] or "",
            username=options["user"] or "",
            password=secret,
            ca=pem("--ca", options["ca"]),
            client_certificate=pem("--client-cert", options["client_cert"]),
            client_key=pem("--client-key", options["client_key"]),
            plain_http=bool(options["plain_http"]),
            storage=options["storage"] or None,
        )
        if options["source"]:
            details = _as_source(details)
        registry = services.add(details, leaving=_leaving())
        self.stdout.write(f"{registry.name} is added.")
        self._report(registry)

    def _edit(self, options: dict[str, Any]) -> None:
        registry = _named(options["registry"], or_source=True)
        if registry.role == Registry.Role.SOURCE:
            _refuse_of_a_source(options)
        details = _changed(registry, options)
        if details.username and details.username != registry.username and details.password is None:
            details = replace(details, password=password("prompt"))
        edited = services.edit(registry, details, leaving=_leaving())
        if edited.left is not None:
            removal.stop_work(edited.left)
            left = "Nothing had been read from the old one: it is forgotten."
            if edited.was_read:
                left = f"What was read from the old one stays, as {edited.left.name}; its credentials are forgotten."
            self.stdout.write(f"{edited.registry.name} is another registry now. {left}")
        self._report(edited.registry)

    def _test(self, options: dict[str, Any]) -> None:
        registry = _named(options["registry"], or_source=True)
        if options["trust"]:
            probe(registry)
            services.trust_realm(registry, options["trust"])
        self._report(registry)

    def _watch(self, options: dict[str, Any]) -> None:
        said = watching.watch(_named(options["registry"]), options["repository"])
        self.stdout.write(f"{len(said.added)} repositories are watched now, {len(said.already)} were already.")
        if said.refused:
            raise CommandError("; ".join(f"{name}: {why}" for name, why in said.refused.items()))

    def _unwatch(self, options: dict[str, Any]) -> None:
        count = watching.unwatch(_named(options["registry"]), options["repository"])
        self.stdout.write(f"{count} repositories are not watched any more.")

    def _watched(self, options: dict[str, Any]) -> None:
        rows = watching.watched(_named(options["registry"]))
        if not rows:
            self.stdout.write("None: ./run manage registry watch NAME REPOSITORY")
            return
        self._table([("REPOSITORY", "STATE"), *((row.watched.name, row.problem or str(row.reading)) for row in rows)])

    def _remove(self, options: dict[str, Any]) -> None:
        registry = _named(options["registry"], retired=True)
        if registry.embedded and registry.from_environment:
            raise CommandError(
                f"{registry.name} is Berth's own: start with --registry URL, then remove {registry.name}"
            )
        if variable := owners(registry).get("url"):
            raise CommandError(f"{registry.name} comes from {variable}: start without it, then remove {registry.name}")
        question = f"Forget {registry.name} and its catalog? Nothing changes at {registry.url}. [y/N] "
        if not options["yes"] and not _agreed(question):
            raise CommandError("nothing was removed")
        try:
            removal.remove_registry(registry)
        except removal.StillWorking as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{registry.name} is forgotten; nothing was changed at {registry.url}.")

    def _report(self, registry: Registry) -> None:
        """Test, and tell what was found. Raises CommandError when the registry cannot be used like that."""
        probe(registry)
        found = findings(registry)
        for finding in found:
            cure = f" {finding.cure}" if finding.cure else ""
            self.stdout.write(f"{_MARKS[finding.mark]} {finding.sentence}{cure}")
        if registry.capability("problem"):
            raise CommandError(f"{registry.name} cannot be used yet")

    def _table(self, rows: Sequence[Sequence[str]]) -> None:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())


def _add_details(parser: CommandParser) -> None:
    parser.add_argument("--name", help="what it is called here: small letters, digits and hyphens")
    parser.add_argument("--public", metavar="HOST", help="its name as clients type it")
    parser.add_argument("--user", help="sign in with this name")
    parser.add_argument("--password-from", metavar="SOURCE", help=WHERE)
    parser.add_argument("--ca", metavar="FILE", help="certificates to trust, PEM")
    parser.add_argument("--client-cert", metavar="FILE", help="the certificate by which it knows us, PEM")
    parser.add_argument("--client-key", metavar="FILE", help="its key, PEM without a pass phrase")
    parser.add_argument("--storage", metavar="FOLDER", help="its storage folder, by its whole path on this machine")
    parser.add_argument("--plain-http", action="store_true", default=None, help="allow an http:// address")


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower().startswith("y")
    except EOFError:
        raise CommandError("nobody can be asked here, so nothing was removed: say --yes") from None


def _leaving() -> set[str]:
    """The job subjects of the registries that are being removed."""
    return set(Job.objects.unfinished().filter(kind=removal.KIND).values_list("subject", flat=True))


def _as_source(details: Details) -> Details:
    """Where it is a well-known service, with the limits that it is asked under."""
    preset = preset_at(urlsplit(details.url).netloc)
    if preset is None or preset.url != details.url.rstrip("/"):
        preset = ANY
    return replace(details, role=Registry.Role.SOURCE, preset=preset.key, limits=preset.limits)


def _refuse_of_a_source(options: dict[str, Any]) -> None:
    if options["storage"] or options["public"]:
        raise CommandError("a source has no --storage and no --public: it is only copied from")


def _named(name: str, *, retired: bool = False, or_source: bool = False) -> Registry:
    registry = Registry.objects.catalogs().filter(name=name).first()
    source = Registry.objects.sources().filter(name=name).first()
    if registry is None and source is not None:
        if or_source:
            return source
        raise CommandError(f"{name} is only copied from, and has no catalog: see the page Sync, Sources")
    if registry is None:
        known = ", ".join(Registry.objects.catalogs().by_name().values_list("name", flat=True)) or "none yet"
        raise CommandError(f"no registry is called {name}; there are: {known}")
    if registry.retired_at is not None and not retired:
        raise CommandError(f"{name} is retired: it can be read and removed, nothing else")
    return registry


def _changed(registry: Registry, options: dict[str, Any]) -> Details:
    """What the options say over what the row says; to another address `services.edit` lets nothing secret go along."""
    _refuse_what_cannot_be_said(registry, options)
    username = options["user"] if options["user"] is not None else registry.username
    secret = password(options["password_from"])
    ca = pem("--ca", options["ca"]) or registry.ca
    certificate = pem("--client-cert", options["client_cert"]) or registry.client_certificate
    return Details(
        url=options["url"] or registry.url,
        name=options["name"] or "",
        public_name=options["public"] if options["public"] is not None else registry.public_name,
        username="" if options["no_credentials"] else username,
        password="" if options["no_credentials"] else secret,
        ca="" if options["no_ca"] else ca,
        client_certificate="" if options["no_client_cert"] else certificate,
        client_key=pem("--client-key", options["client_key"]) or None,
        storage="" if options["no_storage"] else options["storage"] or None,
        plain_http=registry.plain_http if options["plain_http"] is None else options["plain_http"],
    )


def _refuse_what_cannot_be_said(registry: Registry, options: dict[str, Any]) -> None:
    owned = owners(registry)
    for option, field in _FIELDS.items():
        if options[option] not in {None, False} and field in owned:
            raise CommandError(f"{_spelled(option)}: {owned[field]} says that; change it there")
    for forgets, others in _CONTRARY.items():
        for other in others:
            if options[forgets] and options[other]:
                raise CommandError(f"{_spelled(forgets)} and {_spelled(other)}: say one of them")


def _spelled(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _state(registry: Registry) -> str:
    if registry.retired_at is not None:
        return "retired"
    words = [finding.short for finding in findings(registry) if finding.short]
    return ", ".join(words)
