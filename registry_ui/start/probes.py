"""Is it there? Short questions that never raise."""

from __future__ import annotations

import errno
import http.client
import socket
from contextlib import closing
from typing import Any, Final

import redis

_SECONDS: Final = 2.0


def answers(host: str, port: int, path: str) -> bool:
    """Whether `http://host:port/path` says 200."""
    with closing(http.client.HTTPConnection(host, port, timeout=_SECONDS)) as connection:
        try:
            connection.request("GET", path, headers={"Host": "127.0.0.1"})  # always among the allowed hosts
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def pongs(url: str) -> str:
    """Why the Redis at `url` cannot be used, or nothing."""
    try:
        with closing(redis.Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def database_problem(url: str) -> str:
    """Why the PostgreSQL at `url` cannot be used, or nothing."""
    import dj_database_url
    import psycopg

    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    try:
        parts: dict[str, Any] = {**dj_database_url.parse(url)}
        told = {name: parts[setting] for setting, name in names.items() if parts.get(setting)}
        tls = {name: value for name, value in parts.get("OPTIONS", {}).items() if name.startswith("ssl")}
        psycopg.connect(**told, **tls, connect_timeout=int(_SECONDS)).close()
    except (psycopg.Error, ValueError, OSError) as error:
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    return ""


def port_problem(host: str, port: int) -> str:
    """Why nobody can listen on `host:port`, or nothing."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(address)
        except OSError as error:
            reasons = {
                errno.EADDRINUSE: "is in use",
                errno.EACCES: "is for root only",
                errno.EADDRNOTAVAIL: "is not on this machine",
            }
            return reasons.get(error.errno or 0, error.strerror or str(error))
    return ""
