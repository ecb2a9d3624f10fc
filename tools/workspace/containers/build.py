"""Build an image from its Dockerfile, a layer for each instruction that changes files."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from deployment import is_ignored
from environments import TaskFailed, print_line
from members import ROOT

from containers.bases import PACKAGES_OF_HOST, find_base, resolver
from containers.dockerfile import Config, Stage, Step, configure, read_stages
from containers.rootfs import Bind, RootedProgram, finish_layer, run


@dataclass
class Image:
    """A built image: the layers of its base, its own with the bytes of their contents, and how it is run."""

    base: tuple[Path, ...]
    stands_in: str
    digest: str = ""
    own: list[tuple[Step, Path, int]] = field(default_factory=list)
    config: Config = field(default_factory=Config)

    @property
    def layers(self) -> tuple[Path, ...]:
        """All layers, the lowest first."""
        return (*self.base, *(layer for _, layer, _ in self.own))


def build(dockerfile: Path, folder: Path, bases: Path) -> Image:
    """Build the last stage of a Dockerfile below ``folder``; a step whose inputs are those of last time is kept.

    Raises
    ------
    TaskFailed
        An instruction failed; the message has it and its output.
    """
    stages: dict[str, Image] = {}
    image = None
    for stage in read_stages(dockerfile):
        image = stages[stage.name] = _build_stage(stage, stages, folder / stage.name, bases)
    if image is None:
        raise TaskFailed(f"{dockerfile} has no stage")
    return image


def _build_stage(stage: Stage, stages: dict[str, Image], folder: Path, bases: Path) -> Image:
    base = find_base(stage.base, bases)
    if base is None:
        raise TaskFailed(f"Nothing stands in for the base image {stage.base}")
    image = Image(base.layers, base.stands_in, digest=stage.base)
    image.config.environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for step in stage.steps:
        if configure(image.config, step):
            continue
        image.digest = _digest(image, step, stages)
        layer = folder / f"{len(image.own):02d}-{image.digest[:16]}"
        if not layer.exists():
            for stale in folder.glob(f"{len(image.own):02d}-*"):
                shutil.rmtree(stale)
            draft = folder / f"{len(image.own):02d}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            _make_layer(image, step, draft, stages)
            draft.rename(layer)
        image.own.append((step, layer, finish_layer(layer)))
    return image


def _make_layer(image: Image, step: Step, layer: Path, stages: dict[str, Image]) -> None:
    if step.name == "RUN":
        _run_step(image, step, layer)
    elif step.name == "COPY":
        _copy_step(image, step, layer, stages)
    else:
        raise TaskFailed(f"The instruction {step.name} is not known here")


def _digest(image: Image, step: Step, stages: dict[str, Image]) -> str:
    """Return a hash of everything that a step works on."""
    total = hashlib.sha256(f"{image.digest}\0{image.config}\0{step}".encode())
    if step.name == "COPY":
        sources, _, origin = _copied(step)
        if origin is not None:
            total.update(stages[origin].digest.encode())
        else:
            for path in sorted(path for source in sources for path in _context(source)):
                total.update(str(path).encode() + path.read_bytes())
    return total.hexdigest()


def _run_step(image: Image, step: Step, layer: Path) -> None:
    print_line(f"  RUN {step.value[:110]}")
    # An engine makes the working folder when it is named.
    folder = layer / image.config.folder.strip("/")
    folder.mkdir(parents=True, exist_ok=True)
    program = RootedProgram(
        layers=image.layers,
        upper=layer,
        command=["/bin/sh", "-euc", step.value],
        environment={"HOME": "/root", **PACKAGES_OF_HOST, **image.config.environment},
        folder=image.config.folder,
        user=image.config.user,
        binds=resolver(),
        memory_folders=["/tmp:mode=1777"],  # noqa: S108  # of the root file system that is built
    )
    try:
        run(program, layer.with_name(f"{layer.name}.scratch"))
    except subprocess.CalledProcessError as error:
        raise TaskFailed(f"RUN {step.value} failed:\n{error.output[-6000:]}") from error
    for left in ("etc/resolv.conf", "proc", "dev", "tmp"):
        _drop_empty(layer / left)


def _drop_empty(path: Path) -> None:
    if path.is_file() and path.stat().st_size == 0:
        path.unlink()
    elif path.is_dir() and not any(path.iterdir()):
        path.rmdir()


def _copied(step: Step) -> tuple[list[str], str, str | None]:
    """Return the sources, the target and the stage of origin of a COPY."""
    words = step.value.split()
    options = [word for word in words if word.startswith("--")]
    *sources, target = [word for word in words if not word.startswith("--")]
    origins = [option.removeprefix("--from=") for option in options if option.startswith("--from=")]
    return sources, target, origins[0] if origins else None


def _copy_step(image: Image, step: Step, layer: Path, stages: dict[str, Image]) -> None:
    sources, target, origin = _copied(step)
    destination = layer / str(Path(image.config.folder, target)).strip("/")
    is_folder = target.endswith(("/", ".")) or len(sources) > 1
    for source in sources:
        if origin is not None:
            _copy_from(stages[origin], source, destination)
        else:
            _copy_context(source, destination / Path(source).name if is_folder else destination)


def _copy_from(image: Image, source: str, destination: Path) -> None:
    """Copy with owners, times and links from another stage, as its layers together show it."""
    destination.mkdir(parents=True, exist_ok=True)
    program = RootedProgram(
        layers=image.layers,
        command=["/bin/cp", "-a", f"{source}/.", "/copied"],
        binds=[Bind(destination, "/copied", is_writable=True)],
    )
    run(program, destination.with_name(f"{destination.name}.scratch"))
    shutil.rmtree(destination.with_name(f"{destination.name}.scratch"))


def _copy_context(source: str, destination: Path) -> None:
    paths = _context(source)
    if not paths:
        raise TaskFailed(f"COPY {source}: there is no such file")
    for path in paths:
        inside = destination / path.relative_to(ROOT / source) if (ROOT / source).is_dir() else destination
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, inside)


def _context(source: str) -> list[Path]:
    """Return the files of a path that reach a build."""
    ignore = (ROOT / ".dockerignore").read_text()
    start = ROOT / source
    found = [start] if start.is_file() else [path for path in start.rglob("*") if path.is_file()]
    return [path for path in found if not is_ignored(str(path.relative_to(ROOT)), ignore)]
