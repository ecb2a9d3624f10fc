"""Checks of the compose file and the images that no schema makes; each returns what is wrong."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

DOOR = "frontend"
"""The only service with published ports."""

Compose = Mapping[str, Any]


def read_compose(text: str) -> Compose:
    """Parse a compose file; anchors and merges are resolved, variables are left as they are."""
    loaded: Compose = yaml.safe_load(text)
    return loaded


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a service."""
    return {str(name): str(value) for name, value in (service.get("environment") or {}).items()}


def published_ports(compose: Compose) -> list[str]:
    """Ports that are open beside the door's."""
    services = compose["services"].items()
    return [f"{name} publishes {service['ports']}" for name, service in services if "ports" in service and name != DOOR]


def unpinned_images(compose: Compose, dockerfiles: Mapping[str, str]) -> list[str]:
    """Images without a tag, or with one that moves."""
    images = [(name, service.get("image", "")) for name, service in compose["services"].items()]
    for name, text in dockerfiles.items():
        stages = set(re.findall(r"^FROM .* AS (\S+)$", text, re.MULTILINE))
        images += [(name, image) for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE) if image not in stages]
    pinned = re.compile(r"[^:@]+:(?!latest$)[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?")
    return [
        f"{name}: image {image or 'missing'} is not pinned" for name, image in images if not pinned.fullmatch(image)
    ]


def wrong_secrets(compose: Compose, made: Collection[str]) -> list[str]:
    """Secrets that are not made, not used, not defined, or read where they are not mounted."""
    defined = compose.get("secrets", {})
    wrong = [f"secret {name} is not made" for name in defined if name not in made]
    wrong += [
        f"secret {name} is read from {entry.get('file')}"
        for name, entry in defined.items()
        if entry.get("file") != f"./secrets/{name}"
    ]
    used: set[str] = set()
    for name, service in compose["services"].items():
        mounted = set(service.get("secrets", ()))
        used |= mounted
        wrong += [f"{name} mounts {secret}, which is not defined" for secret in sorted(mounted - defined.keys())]
        text = yaml.safe_dump({key: service.get(key) for key in ("environment", "command", "healthcheck")}, width=9999)
        read = set(re.findall(r"/run/secrets/(\w+)", text))
        wrong += [f"{name} reads {secret} and does not mount it" for secret in sorted(read - mounted)]
    # A password that only an address holds is mounted nowhere.
    return wrong + [f"secret {secret} is used nowhere" for secret in sorted(set(defined) - used)]


def wrong_order(compose: Compose) -> list[str]:
    """Conditions that can never come true, and dependencies that a profile leaves out."""
    services, wrong = compose["services"], []
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            if needed not in services:
                wrong.append(f"{name} waits for {needed}, which does not exist")
                continue
            other = services[needed]
            if how["condition"] == "service_healthy" and "healthcheck" not in other:
                wrong.append(f"{name} waits for the health of {needed}, which has no health check")
            if how["condition"] == "service_completed_successfully" and other.get("restart") != "no":
                wrong.append(f"{name} waits for the end of {needed}, which is restarted")
            is_required = how.get("required", True)
            left_out = set(service["profiles"]) - set(other["profiles"]) if is_required else set()
            wrong += [f"{name} needs {needed}, which profile {profile} leaves out" for profile in sorted(left_out)]
    return wrong


def soft_spots(compose: Compose) -> list[str]:
    """Services that lack a restriction, a limit, or the way to an end."""
    wrong = []
    for name, service in compose["services"].items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        facts = {
            "its file system is writable": service.get("read_only") is True,
            "it keeps capabilities": service.get("cap_drop") == ["ALL"] and "cap_add" not in service,
            "it may gain privileges": "no-new-privileges:true" in service.get("security_opt", ()),
            "it has no limit of memory and processors": {"cpus", "memory"} <= limits.keys(),
            "its log has no end": "max-size" in service.get("logging", {}).get("options", {}),
            "it is in no profile": bool(service.get("profiles")),
            "nothing tells whether it is healthy": "healthcheck" in service or service.get("restart") == "no",
        }
        wrong += [f"{name}: {fault}" for fault, is_well in facts.items() if not is_well]
    outside = {name for name, network in compose["networks"].items() if not (network or {}).get("internal")}
    for name, service in compose["services"].items():
        if name != DOOR and outside & set(service.get("networks", ())):
            wrong.append(f"{name}: it is on a network with a way out")
    volumes = [entry.split(":")[0] for service in compose["services"].values() for entry in service.get("volumes", ())]
    named = {volume for volume in volumes if not volume.startswith(".")}
    return wrong + [f"volume {volume} is not defined" for volume in sorted(named - compose["volumes"].keys())]


def unknown_variables(compose: Compose, known: Mapping[str, Collection[str]]) -> list[str]:
    """Variables that their service does not know; ``known`` gives the names by service."""
    wrong = []
    for name, service in compose["services"].items():
        names = set(environment_of(service))
        if names and name not in known:
            wrong.append(f"{name}: nobody knows its variables")
            continue
        wrong += [f"{name} does not know {variable}" for variable in sorted(names - set(known.get(name, ())))]
    return wrong


def copied_paths(dockerfile: str) -> Iterator[str]:
    """Yield what an image copies from the build context."""
    for line in dockerfile.replace("\\\n", " ").splitlines():
        words = line.split()
        if words[:1] in (["COPY"], ["ADD"]) and not any(word.startswith("--from=") for word in words):
            yield from (word for word in words[1:-1] if not word.startswith("--"))


def unavailable_copies(dockerfiles: Mapping[str, str], ignore: str, root: Path) -> list[str]:
    """Paths that an image copies and that do not exist or do not reach the build."""
    wrong = []
    for name, text in dockerfiles.items():
        for path in copied_paths(text):
            if not (root / path).exists():
                wrong.append(f"{name} copies {path}, which does not exist")
            elif is_ignored(path, ignore):
                wrong.append(f"{name} copies {path}, which .dockerignore keeps out")
    return wrong


def is_ignored(path: str, ignore: str) -> bool:
    """Return whether a .dockerignore keeps a path out: the last pattern that matches it or a folder above decides."""
    parts = path.split("/")
    prefixes = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    ignored = False
    for line in ignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        is_exception = pattern.startswith("!")
        expression = _expression(pattern.lstrip("!").strip("/"))
        if any(expression.fullmatch(prefix) for prefix in prefixes):
            ignored = not is_exception
    return ignored


def _expression(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.compile(escaped.replace(r"\?", "[^/]").replace(r"\[", "[").replace(r"\]", "]"))
