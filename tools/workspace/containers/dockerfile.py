"""Dockerfiles as data."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile_parse import DockerfileParser

_IGNORED = {"COMMENT", "SHELL", "EXPOSE", "STOPSIGNAL"}


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, with what follows it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What one FROM begins."""

    name: str
    base: str
    steps: tuple[Step, ...]


@dataclass
class Config:
    """What an image says about how it is run."""

    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def read_stages(path: Path) -> list[Stage]:
    """Return the stages of a Dockerfile in their order."""
    stages: list[Stage] = []
    steps: list[Step] = []
    for entry in DockerfileParser(str(path)).structure:
        name, value = entry["instruction"].upper(), entry["value"]
        if name == "FROM":
            base, _, label = value.partition(" AS ")
            steps = []
            stages.append(Stage(label or str(len(stages)), base, ()))
        elif name not in _IGNORED:
            steps.append(Step(name, value))
            stages[-1] = Stage(stages[-1].name, stages[-1].base, tuple(steps))
    return stages


def configure(config: Config, step: Step) -> bool:
    """Apply an instruction that changes no file; return whether it was one."""
    match step.name:
        case "ENV":
            config.environment |= dict(word.split("=", 1) for word in shlex.split(step.value))
        case "WORKDIR":
            config.folder = step.value
        case "USER":
            config.user = step.value
        case "CMD":
            config.command = json.loads(step.value)
        case "ENTRYPOINT":
            config.entrypoint, config.command = json.loads(step.value), []
        case "HEALTHCHECK":
            pass
        case _:
            return False
    return True
