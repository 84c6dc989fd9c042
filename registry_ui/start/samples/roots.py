"""Root file systems: what stands in the layers of the samples."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from registry_ui.start.samples.layers import Layer, filler, layer, whiteout

_LIBRARIES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_ACCOUNTS = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"

_ALPINE = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n'
_NGINX_CONF = "events {}\nhttp { server { listen 8080; root /usr/share/nginx/html; } }\n"


@cache
def debian(architecture: str, release: str, when: datetime) -> Layer:
    """A small Debian 12: release, accounts, package database, C library, shell."""
    library = f"usr/lib/{_LIBRARIES[architecture]}"
    packages = {"base-files": f"12.4+deb{release}", "bash": "5.2.15-2+b7", "dpkg": "1.21.22"}
    packages |= {"libc6": "2.36-9+deb12u8", "libssl3": "3.0.15-1~deb12u1", "tzdata": "2024a-0+deb12u1"}
    return layer(
        {
            "bin": "→usr/bin",
            "etc/": "",
            "etc/debian_version": f"{release}\n",
            "etc/os-release": _os_release(release),
            "etc/passwd": _ACCOUNTS,
            f"{library}/libc.so.6": filler(f"libc {architecture} {release}", 1_220_000),
            f"{library}/libssl.so.3": filler(f"libssl {architecture}", 530_000),
            "tmp/": "",
            "usr/bin/bash": filler(f"bash {architecture}", 780_000),
            "usr/bin/sh": "→bash",
            "usr/share/doc/bash/copyright": "GNU Bash is free software under the GPL, version 3 or later.\n",
            "usr/share/zoneinfo/UTC": filler("UTC", 114),
            "var/cache/apt/pkgcache.bin": filler(f"apt {architecture} {release}", 96_000),
            "var/lib/dpkg/status": _status(packages, architecture),
        },
        when,
    )


@cache
def python(architecture: str, when: datetime) -> Layer:
    """An interpreter, its package in the package database, and apt's cache thrown away."""
    library = f"usr/lib/{_LIBRARIES[architecture]}"
    packages = {"bash": "5.2.15-2+b7", "libc6": "2.36-9+deb12u8", "libpython3.11": "3.11.2-6+deb12u4"}
    packages |= {"libssl3": "3.0.15-1~deb12u1", "python3.11": "3.11.2-6+deb12u4"}
    return layer(
        {
            f"{library}/libpython3.11.so.1.0": filler(f"libpython {architecture}", 1_490_000),
            "usr/bin/python3": "→python3.11",
            "usr/bin/python3.11": filler(f"python {architecture}", 310_000),
            "usr/lib/python3.11/json/__init__.py": '"""JSON (JavaScript Object Notation)."""\n',
            whiteout("var/cache/apt/pkgcache.bin"): "",
            "var/lib/dpkg/status": _status(packages, architecture),
        },
        when,
    )


@cache
def dependencies(application: str, packages: tuple[tuple[str, str, int], ...], when: datetime) -> Layer:
    """Python packages as (name, version, bytes of code)."""
    files: dict[str, bytes | str] = {}
    for name, version, size in packages:
        place = f"usr/local/lib/python3.11/site-packages/{name}"
        files[f"{place}/__init__.py"] = f'__version__ = "{version}"\n'
        files[f"{place}/_core.so"] = filler(f"{application} {name} {version}", size)
        files[f"{place}-{version}.dist-info/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return layer(files, when)


@cache
def application(name: str, version: str, when: datetime) -> Layer:
    """The code of an application, which no two versions have as much of."""
    size = 120_000 + 2 * int.from_bytes(filler(version, 2), "big")
    return layer(
        {
            f"srv/{name}/main.py": f'"""{name} {version}."""\n\nVERSION = "{version}"\n',
            f"srv/{name}/settings.toml": 'listen = ":8080"\nlog = "info"\n',
            f"srv/{name}/static.bundle": filler(f"{name} {version}", size),
        },
        when,
    )


@cache
def removal(path: str, when: datetime) -> Layer:
    return layer({whiteout(path): ""}, when)


@cache
def storefront(version: str, when: datetime) -> Layer:
    return layer(
        {
            "usr/share/nginx/html/50x.html": "<!doctype html><title>Back soon</title>\n",
            "usr/share/nginx/html/app.js": filler(f"storefront {version}", 640_000),
            "usr/share/nginx/html/index.html": "<!doctype html><title>Storefront</title>\n",
        },
        when,
    )


@cache
def nginx(when: datetime) -> Layer:
    """An Alpine with nginx: another distribution, with another package database."""
    return layer(
        {
            "etc/alpine-release": "3.20.3\n",
            "etc/nginx/nginx.conf": _NGINX_CONF,
            "etc/os-release": _ALPINE,
            "lib/apk/db/installed": "P:musl\nV:1.2.5-r0\nA:x86_64\n\nP:nginx\nV:1.26.2-r0\nA:x86_64\n\n",
            "lib/ld-musl-x86_64.so.1": filler("musl", 610_000),
            "usr/sbin/nginx": filler("nginx", 1_180_000),
        },
        when,
    )


@cache
def program(name: str, architecture: str, version: str, size: int, when: datetime) -> Layer:
    """One static program and nothing else, as `FROM scratch` makes it."""
    return layer({f"usr/bin/{name}": filler(f"{name} {architecture} {version}", size)}, when)


def _os_release(release: str) -> str:
    return (
        f'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
        f'DEBIAN_VERSION_FULL={release}\nHOME_URL="https://www.debian.org/"\n'
    )


def _status(packages: Mapping[str, str], architecture: str) -> str:
    return "\n".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\nVersion: {version}\n"
        for name, version in sorted(packages.items())
    )
