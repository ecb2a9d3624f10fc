"""Build every image, start the compose file's services, and run the test of a deployment against them."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deployment import Compose, read_compose
from environments import TaskFailed, print_line
from members import ROOT

from containers.bases import find_base
from containers.build import Image, build
from containers.checks import ONE_SHOTS, check_lost_gateway, check_metrics, check_second_start, print_memory
from containers.dockerfile import Config
from containers.network import HUB, Networks
from containers.stack import Stack

CACHE = ROOT / ".tools" / "images"
PROFILES = {"demo", "observe"}


def main() -> int:
    """Run all of it; the exit code is 0 if every image was built and the test of a deployment passed."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        print_line("Root file systems and networks of their own need root on Linux.")
        return 1
    try:
        compose = read_compose((ROOT / "docker-compose.yml").read_text())
        images = _build_all(compose)
        return _run_all(compose, images)
    except TaskFailed as error:
        print_line(f"✗ {error}")
        return 1


def _build_all(compose: Compose) -> dict[str, Image]:
    """Return the image of every service for which one is built or something stands in."""
    images: dict[str, Image] = {}
    built: dict[str, Image] = {}
    for name, service in compose["services"].items():
        match service:
            case {"build": {"dockerfile": str(dockerfile)}}:
                if dockerfile not in built:
                    began = time.monotonic()
                    print_line(f"Building {dockerfile}")
                    built[dockerfile] = build(
                        ROOT / dockerfile, CACHE / "built" / Path(dockerfile).parent, CACHE / "bases"
                    )
                    _print_layers(built[dockerfile], time.monotonic() - began)
                images[name] = built[dockerfile]
            case {"image": str(image)}:
                base = find_base(image, CACHE / "bases")
                if base is not None:
                    print_line(f"{image}: {base.stands_in}")
                    images[name] = Image(base.layers, base.stands_in, config=_foreign_config(image))
    return images


def _foreign_config(image: str) -> Config:
    """How the images of others are started, as their descriptions have it."""
    config = Config(environment={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
    match image.partition(":")[0]:
        case "timescale/timescaledb":
            config.entrypoint = ["docker-entrypoint.sh"]
        case "prom/prometheus":
            config.entrypoint, config.user = ["/usr/bin/prometheus"], "65534:65534"
        case "prom/blackbox-exporter":
            config.entrypoint = ["/usr/bin/prometheus-blackbox-exporter"]
    return config


def _print_layers(image: Image, seconds: float) -> None:
    for step, _, size in image.own:
        print_line(f"  {size / 1e6:8.1f} MB  {step.name} {step.value[:90]}")
    total = sum(size for _, _, size in image.own)
    print_line(f"  {total / 1e6:8.1f} MB in all on {image.stands_in}; {seconds:.0f} s")


def _run_all(compose: Compose, images: dict[str, Image]) -> int:
    with tempfile.TemporaryDirectory(prefix="battery-stack-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        secrets = folder / "secrets"
        make = [sys.executable, str(ROOT / "ops" / "make_secrets.py"), "--folder", str(secrets)]
        subprocess.run(make, check=True)  # noqa: S603  # our own script
        networks = Networks(folder / "networks", CACHE / "bases", tuple(compose["networks"]))
        stack = Stack(compose, images, networks, folder / "containers", secrets, {"BATTERY_HISTORY_DAYS": "2"})
        try:
            networks.open()
            stack.up(PROFILES)
            networks.publish(80, "frontend", "outside", 8080)
            networks.publish(443, "frontend", "outside", 8443)
            for service in stack.containers:
                if service not in ONE_SHOTS:
                    stack.wait_until_healthy(service)
            authority = (
                stack.folder / "volumes" / "certificates" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            )
            code = _accept(secrets, authority)
            check_metrics(stack)
            print_memory(stack)
            check_second_start(stack)
            check_lost_gateway(stack, authority)
            print_line(f"Ended with {stack.down()}")
            return code
        finally:
            stack.down()
            networks.close()
            _keep_logs(folder / "containers")


def _accept(secrets: Path, authority: Path) -> int:
    """Run the test of a deployment from outside, where Caddy's own authority is trusted."""
    environment = {
        **os.environ,
        "BATTERY_URL": "https://localhost",
        "BATTERY_CA_FILE": str(authority),
        "BATTERY_ADMIN_PASSWORD_FILE": str(secrets / "admin_password"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-c", "tests/pyproject.toml", "--rootdir", ".", "tests/deployed"]
    outside = ["ip", "netns", "exec", HUB, *command]
    return subprocess.run(outside, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603  # our own tests


def _keep_logs(containers: Path) -> None:
    target = CACHE / "logs"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for log in containers.glob("*/log"):
        shutil.copy(log, target / f"{log.parent.name}.txt")


if __name__ == "__main__":
    sys.exit(main())
