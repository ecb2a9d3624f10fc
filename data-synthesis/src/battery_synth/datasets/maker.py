"""Making a dataset: its parts on one core or on a Dask cluster, and the manifest once all of them are complete."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import battery_synth
from battery_synth.catalogue import write_catalogue_csv
from battery_synth.datasets.spec import FORMAT_VERSION, DatasetSpec, LocationPart
from battery_synth.datasets.work import make_part, months_done
from battery_synth.storage.files import write_atomically

BYTES_PER_READING: Final = {"parquet": 3.0, "csv": 85.0}
_BYTES_PER_DAY_ROW: Final = 75.0
_SPARE: Final = 1.2
_LOOK_EVERY_S: Final = 0.5
MANIFEST: Final = "manifest.json"

Progress = Callable[[int, int], None]


class OutOfSpace(OSError):
    """The disk is too small for the dataset."""


def make_dataset(
    spec: DatasetSpec, directory: Path, *, workers: int = 1, scheduler: str | None = None, progress: Progress
) -> dict[str, Any]:
    """Make all files of a dataset below a folder.

    The manifest is written last: a folder without it holds no dataset. An interrupted run of the same spec is resumed;
    the files of another spec are refused.

    Parameters
    ----------
    workers
        Number of processes; with 1 everything runs in this one.
    scheduler
        Address of a Dask scheduler whose workers share this folder; else a local cluster.
    progress
        Called with the months done and the months in total.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    OutOfSpace
        The disk is too small.
    ValueError
        The folder holds something else, or ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f"{workers} workers: it must be at least one")
    directory = directory.resolve()
    parts = spec.parts()
    _require_own(directory, spec)
    _require_space(directory, spec)
    lines = []
    with _runner(parts, directory, workers, scheduler) as finished:
        total = len(parts) * _months(spec)
        for entries in finished:
            if entries is not None:
                lines += entries
            progress(min(sum(months_done(directory, part) for part in parts), total), total)
    lines.append(_write_master(spec, directory))
    manifest = _manifest(spec, lines)
    write_atomically(directory / MANIFEST, json.dumps(manifest, indent=2).encode())
    shutil.rmtree(directory / ".progress", ignore_errors=True)
    return manifest


@contextmanager
def _runner(
    parts: Sequence[LocationPart], directory: Path, workers: int, scheduler: str | None
) -> Iterator[Iterator[list[dict[str, Any]] | None]]:
    """Yield an iterator over the manifest entries of each finished part, with None now and then while work goes on."""
    if workers == 1 and scheduler is None:
        yield (make_part(part, str(directory)) for part in parts)
        return
    # Importing it takes a second and one process does not need it.
    dask: Any = import_module("distributed")

    if scheduler is not None:
        with dask.Client(scheduler) as client:
            yield _gathered(client, parts, directory)
        return
    with (
        dask.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=40) as cluster,
        dask.Client(cluster) as client,
    ):
        yield _gathered(client, parts, directory)


def _gathered(client: Any, parts: Sequence[LocationPart], directory: Path) -> Iterator[list[dict[str, Any]] | None]:
    dask: Any = import_module("distributed")
    waiting = {client.submit(make_part, part, str(directory), pure=False) for part in parts}
    while waiting:
        try:
            done = dask.wait(waiting, timeout=_LOOK_EVERY_S, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            yield None
            continue
        for future in done:
            waiting.discard(future)
            yield future.result()


def _write_master(spec: DatasetSpec, directory: Path) -> dict[str, Any]:
    """Write the catalogue of the batteries; return its entry in the manifest."""
    path = directory / "master" / "fleet.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_catalogue_csv(spec.fleet, path)
    content = path.read_bytes()
    return {
        "table": "master",
        "location_id": None,
        "month": None,
        "path": str(path.relative_to(directory)),
        "rows": len(spec.fleet),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }


def _manifest(spec: DatasetSpec, lines: list[dict[str, Any]]) -> dict[str, Any]:
    files = sorted(lines, key=lambda line: str(line["path"]))
    rows: dict[str, int] = {}
    for line in files:
        rows[line["table"]] = rows.get(line["table"], 0) + line["rows"]
    return {
        "format": FORMAT_VERSION,
        "version": battery_synth.__version__,
        "spec": spec.digest(),
        **spec.arguments(),
        "rows": rows,
        "files": files,
    }


def _months(spec: DatasetSpec) -> int:
    first, last = spec.start, spec.end
    whole = (last.year - first.year) * 12 + last.month - first.month
    begins_a_month = (last.day, last.hour, last.minute, last.second, last.microsecond) == (1, 0, 0, 0, 0)
    return whole if begins_a_month else whole + 1


def _require_own(directory: Path, spec: DatasetSpec) -> None:
    """Refuse a folder that holds something else; delete the manifest of the same spec, which is about to be remade."""
    path = directory / MANIFEST
    if path.exists():
        try:
            existing = json.loads(path.read_bytes()).get("spec")
        except (ValueError, AttributeError):
            existing = None
        if existing != spec.digest():
            raise ValueError(f"{directory} holds another dataset; name an empty folder")
        path.unlink()
        return
    others = [entry.name for entry in directory.iterdir() if entry.name != ".progress"] if directory.exists() else []
    if others and not (directory / ".progress").exists():
        raise ValueError(f"{directory} is not empty ({', '.join(sorted(others)[:3])}); name an empty folder")


def _require_space(directory: Path, spec: DatasetSpec) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    needed, free = estimated_bytes(spec), shutil.disk_usage(directory).free
    if needed > free:
        raise OutOfSpace(28, f"about {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free", str(directory))


def estimated_bytes(spec: DatasetSpec) -> float:
    """Return the approximate size of a dataset in bytes."""
    days = (spec.end - spec.start).total_seconds() / 86_400.0
    if spec.kind == "training":
        return _SPARE * days * len(spec.fleet) * _BYTES_PER_DAY_ROW
    readings = days * 86_400.0 / spec.sampling.every_s * len(spec.fleet)
    truth = 1.0 if spec.with_samples_of_truth else 0.0
    return _SPARE * readings * (BYTES_PER_READING[spec.file_format] + truth)
