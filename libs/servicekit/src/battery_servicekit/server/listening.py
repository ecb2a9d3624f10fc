"""Sockets to serve on: every address of a host, IPv4 and IPv6 alike."""

import errno
import os
import socket
from collections.abc import Sequence
from typing import Any

from battery_servicekit.startup import refuse_start

ANY_IPV6 = "::"


def bind_all(host: str, port: int) -> Sequence[socket.socket]:
    """Take a port on all addresses of a host; ``::`` means every address of this machine, of both kinds.

    A private network may have IPv6 only while health checks and proxies come over IPv4, so one socket takes both. On a
    machine without IPv6, ``::`` means every address that it has. Connections are refused until the server listens.

    The process ends with a message if the port is taken or the host is not this machine.
    """
    listeners: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port):
            listeners.append(_bind(family, address, takes_both=host == ANY_IPV6))
    except OSError as error:
        for listener in listeners:
            listener.close()
        refuse_start(_explain(host, port, error))
    return listeners


def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    if host == ANY_IPV6 and not _has_ipv6():
        return [(socket.AF_INET, ("0.0.0.0", port))]  # noqa: S104  # what was asked for
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((ANY_IPV6, 0))
    except OSError:
        return False
    return True


def _bind(family: int, address: tuple[Any, ...], *, takes_both: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if takes_both else 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _explain(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"HOST: {host} is not a name or address of this machine. Use 127.0.0.1, 0.0.0.0 or :: (every address)."
    if error.errno == errno.EADDRINUSE:
        return f"PORT: {port} is in use on {host}. Stop what listens there, or set another PORT."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"HOST: {host} is no address of this machine. Use 127.0.0.1, 0.0.0.0 or :: (every address)."
    if error.errno == errno.EACCES:
        return f"PORT: user {os.geteuid()} may not use {port}: it needs a privilege. Set a PORT of 1024 or higher."
    return f"HOST, PORT: {host} port {port} cannot be listened on: {os.strerror(error.errno or 0)}."
