"""What a start is told: options, and the environment variable behind each; an option wins."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, TypeVar
from urllib.parse import SplitResult, urlsplit

from cryptography.x509 import load_pem_x509_certificates
from django.core.exceptions import ImproperlyConfigured

from oci.errors import InvalidName
from oci.urls import Url
from registry_ui import env
from registry_ui.logs import redact
from registry_ui.start.errors import StartError

T = TypeVar("T")

_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - from where we reach what listens everywhere


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    bind: str
    data: Path  # absolute
    registry: str  # the address of an external one, or nothing for our own
    plain_http: bool  # the registry may be asked without TLS
    registry_port: int
    samples: bool
    verbose: bool
    public_url: str  # without a slash at the end
    is_named: bool  # the operator said what people type
    database_url: str
    redis_url: str
    log_format: str  # "text" or "json"

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine can connect."""
        return self.bind != "localhost" and not self.bind.startswith("127.") and self.bind != "::1"

    @property
    def is_everywhere(self) -> bool:
        """Whether it listens on every address of this machine."""
        return self.bind in _ANYWHERE

    @property
    def registry_url(self) -> str:
        return self.registry or f"http://{netloc(reachable(self.bind), self.registry_port)}"


def parse(arguments: Sequence[str]) -> Options:
    """Read `arguments` and the environment; a wrong value is a StartError that names where it came from."""
    given = _parser().parse_args(arguments)
    try:
        bind = _read(given.bind, "--bind", "BERTH_BIND", "127.0.0.1", _bind)
        port = _read(given.port, "--port", "BERTH_PORT", "8000", _port)
        public = f"http://{netloc(reachable(bind), port)}"
        registry = _read(given.registry, "--registry", "BERTH_REGISTRY_URL", "", _registry)
        options = Options(
            port=port,
            bind=bind,
            data=_read(given.data, "--data", "BERTH_DATA", "var", _folder),
            registry=registry,
            plain_http=env.flag("BERTH_REGISTRY_PLAIN_HTTP", default=_stays_here(registry)),
            registry_port=_read(given.registry_port, "--registry-port", "BERTH_REGISTRY_PORT", "5000", _port),
            samples=not given.no_samples and env.flag("BERTH_SAMPLES", default=True),
            verbose=given.verbose or env.flag("BERTH_VERBOSE", default=False),
            public_url=_read(None, "", "BERTH_PUBLIC_URL", public, _public),
            is_named=bool(env.text("BERTH_PUBLIC_URL", "")),
            database_url=_database(env.secret("DATABASE_URL", "")),
            redis_url=_redis(env.secret("REDIS_URL", "")),
            log_format=_read(None, "", "BERTH_LOG_FORMAT", "text", _log_format),
        )
        client_key = env.secret("BERTH_REGISTRY_CLIENT_KEY", "")
    except ImproperlyConfigured as error:
        raise StartError(str(error)) from error
    _check_certificates(env.text("BERTH_REGISTRY_CA", ""))
    _check_identity(env.text("BERTH_REGISTRY_CLIENT_CERT", ""), client_key)
    _check_storage(env.text("BERTH_REGISTRY_STORAGE", ""))
    if not options.registry and options.port == options.registry_port:
        raise StartError(
            f"Berth and its registry cannot both listen on port {port}: choose another with --port or --registry-port."
        )
    if options.registry.startswith("http:") and not options.plain_http:
        raise StartError(
            f"{options.registry} sends passwords and images unencrypted:"
            " say https://, or allow it with BERTH_REGISTRY_PLAIN_HTTP=true."
        )
    return options


def netloc(host: str, port: int) -> str:
    """`host:port`, as it stands in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(bind: str) -> str:
    """Where this machine reaches what listens on `bind`."""
    return _ANYWHERE.get(bind, bind)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message[0].upper()}{message[1:]}: ./run start --help lists the options.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="./run start",
        description="Start Berth and all it needs, here in the foreground; Ctrl-C ends it.",
        epilog="Each option has an environment variable, in brackets; docs/settings.md has all the others.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", metavar="N", help="where Berth's pages are: 8000 [BERTH_PORT]")
    add("--bind", metavar="ADDRESS", help="the address to listen on: 127.0.0.1 [BERTH_BIND]")
    add("--data", metavar="DIR", help="the folder that holds everything: ./var [BERTH_DATA]")
    add("--registry", metavar="URL", help="use this registry and start none [BERTH_REGISTRY_URL]")
    add("--registry-port", metavar="N", help="where the local registry listens: 5000 [BERTH_REGISTRY_PORT]")
    add("--no-samples", action="store_true", help="leave an empty local registry empty [BERTH_SAMPLES=false]")
    add("--verbose", action="store_true", help="show what every process says [BERTH_VERBOSE=true]")
    return parser


def _read(given: str | None, option: str, variable: str, default: str, read: Callable[[str], T]) -> T:
    value = given or env.text(variable, default)
    try:
        return read(value)
    except ValueError as error:
        raise StartError(f"{option if given else variable}={redact(value)}: {error}.") from error


def _port(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= 65535):  # noqa: PLR2004 - TCP's
        raise ValueError("a port is a number from 1 to 65535")
    return int(value)


def _bind(value: str) -> str:
    host = value.strip("[]")
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError("no address of this machine; 127.0.0.1 is for this machine only, 0.0.0.0 for all") from error
    return host


def _folder(value: str) -> Path:
    folder = Path(value).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"this folder cannot be written ({reason}): choose another or change its owner") from error
    return folder


def _registry(value: str) -> str:
    if not value:
        return ""
    value = value.strip()
    value = value if "://" in value else f"https://{value}"
    parts = _web_address(value, "an address like https://registry.example.com:5000")
    if parts.username or parts.password:
        raise ValueError("credentials go into BERTH_REGISTRY_USER and BERTH_REGISTRY_PASSWORD (or its _FILE)")
    try:
        Url.parse(value)
    except InvalidName as error:
        raise ValueError("say an address like https://registry.example.com:5000") from error
    return value.rstrip("/")


def _stays_here(registry: str) -> bool:
    """Whether what is sent to `registry` never leaves this machine."""
    return not registry or Url.parse(registry).is_loopback


def _public(value: str) -> str:
    parts = _web_address(value, "the address that people open, like https://berth.example.com")
    if parts.path.strip("/"):
        raise ValueError("Berth cannot live under a path: give it a host or port of its own")
    return value.rstrip("/")


def _web_address(value: str, wanted: str) -> SplitResult:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"say {wanted}")
    if parts.port == 0:
        raise ValueError("0 is no port")
    return parts


def _database(value: str) -> str:
    if value and value.partition("://")[0] not in {"postgres", "postgresql"}:
        raise StartError(
            "DATABASE_URL is no PostgreSQL: say postgres://user:password@host/name,"
            " or unset it and the database is SQLite in the data folder."
        )
    return value


def _check_certificates(value: str) -> None:
    """`value` is the path of a PEM file, or its content."""
    if not value:
        return
    is_text = "-----BEGIN" in value
    name = "BERTH_REGISTRY_CA" if is_text else f"BERTH_REGISTRY_CA={value}"
    try:
        load_pem_x509_certificates(value.encode() if is_text else Path(value).read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartError(f"{name}: this file cannot be read ({reason}): give the path of a PEM file.") from error
    except ValueError as error:
        raise StartError(f"{name}: no certificate in PEM form is in that.") from error


def _check_identity(certificate: str, key: str) -> None:
    """Each is the path of a PEM file, or its content."""
    if not certificate and not key:
        return
    from oci.endpoint import Endpoint
    from oci.tls import InvalidCertificate, contexts  # which needs requests: that takes longer than all else here

    names = "BERTH_REGISTRY_CLIENT_CERT and BERTH_REGISTRY_CLIENT_KEY"
    try:
        contexts(Endpoint("https://localhost", client_certificate=certificate or None, client_key=key or None))
    except InvalidCertificate as error:
        raise StartError(f"{names}: {error}.") from error


def _check_storage(value: str) -> None:
    """Whether it is there is no matter: it may be mounted later."""
    if value and not Path(value).is_absolute():
        raise StartError(f"BERTH_REGISTRY_STORAGE={value}: give the whole path of the storage folder.")


def _redis(value: str) -> str:
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise StartError("REDIS_URL is no address: say redis://host:6379/0, rediss://… or unix:///path/to/socket?db=0.")
    return value


def _log_format(value: str) -> str:
    if value not in {"text", "json"}:
        raise ValueError("say text or json")
    return value
