"""``battery-ml``: features as files, training, evaluation, the registry and its versions, predictions from a file."""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from battery_contracts.ml import RulBatchRequest
from battery_ml.datasets.folder import DatasetRefused, LifeDataset
from battery_ml.evaluation.report import evaluate as evaluate_version
from battery_ml.evaluation.table import table_of
from battery_ml.evaluation.truth import judged_snapshots
from battery_ml.features.definition import FEATURES
from battery_ml.jobs.errors import WorldsRefused
from battery_ml.jobs.work import TrainOptions, train_on, train_on_worlds
from battery_ml.jobs.worlds import WorldPlan, WorldSource
from battery_ml.registry.catalogue import list_summaries
from battery_ml.registry.errors import RegistryError
from battery_ml.registry.shipped import write_model
from battery_ml.registry.store import CHAMPION, Registry
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.requests import history_of_batch
from battery_ml.training.fits.boosting import TREES
from battery_ml.training.model_inputs import write_model_inputs

app = typer.Typer(help="Remaining useful life.", no_args_is_help=True, add_completion=False)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)
REFUSED = 2
PLAN = WorldPlan()

Address = Annotated[
    str, typer.Option("--registry", envvar="MODEL_REGISTRY", help="folder or fsspec address of the models")
]
DEFAULT_ADDRESS = ".data/models"


@app.command()
def models(registry: Address = DEFAULT_ADDRESS) -> None:
    """List the versions, newest first, with their aliases and faults."""
    summaries = list_summaries(Registry(registry))
    if not summaries:
        console.print(f"no models in {registry}", markup=False)
    for model in summaries:
        metrics = " ".join(f"{name}={value:.4g}" for name, value in sorted(model.metrics.items()))
        parts = [model.version, f"[{', '.join(model.aliases)}]" if model.aliases else "", model.fault or metrics]
        console.print(" ".join(part for part in parts if part), markup=False, highlight=False)


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="version to put in service")] = None,
    roll_back: Annotated[bool, typer.Option("--rollback", help="return to the previous champion")] = False,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Make a version the champion; running services follow within a second."""
    if (version is None) is not roll_back:
        raise _refuse("either a version or --rollback is needed, not both")
    store = Registry(registry)
    try:
        if version is None:
            alias = store.roll_back()
        else:
            Predictor(store.load(version), FEATURES)
            alias = store.assign(version)
    except RegistryError as refused:
        raise _refuse(str(refused)) from refused
    console.print(f"{CHAMPION}: {alias.version} (before: {alias.previous or 'none'})", markup=False, highlight=False)


@app.command()
def predict(
    request: Annotated[Path, typer.Argument(help="JSON file of a batch request of the service")],
    version: Annotated[str | None, typer.Option("--version", help="default: the champion")] = None,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Predict a batch from a file and print the response as JSON."""
    store = Registry(registry)
    try:
        history = history_of_batch(RulBatchRequest.model_validate_json(request.read_bytes()))
        predictor = Predictor(store.load(version or store.alias().version), FEATURES)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise _refuse(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from invalid
    except (RegistryError, OSError, ValueError) as refused:
        raise _refuse(str(refused)) from refused
    response = predictor.respond(history)
    console.print_json(response.model_dump_json())


@app.command()
def train(
    *,
    dataset: Annotated[
        list[Path] | None,
        typer.Option("--dataset", help="folder of lives, as written by battery-synth training; may be repeated"),
    ] = None,
    worlds: Annotated[int, typer.Option(min=0, max=20, help="instead of --dataset: worlds to make and delete")] = 0,
    strings_per_location: Annotated[
        int, typer.Option("--strings-per-site", min=1, max=100, help="of worlds: strings at each location")
    ] = PLAN.strings_per_location,
    years: Annotated[float, typer.Option(min=1.0, max=30.0, help="of worlds: length in years")] = PLAN.years,
    scratch: Annotated[Path, typer.Option(help="folder below which worlds lie meanwhile")] = Path(".data/worlds"),
    synth_command: Annotated[str, typer.Option(help="command that makes worlds; default: battery-synth")] = "",
    seed: Annotated[int, typer.Option(min=0, help="seed of the worlds, of the split and of the trees")] = 1,
    trees: Annotated[int, typer.Option(min=1, max=5000, help="maximum number of trees")] = TREES,
    hold_out: Annotated[
        list[str] | None, typer.Option("--hold-out", help="location to exclude from training; may be repeated")
    ] = None,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Train and publish a version; it stays a candidate until it is promoted. Prints progress as JSON lines."""
    if bool(dataset) is bool(worlds):
        raise _refuse("either --dataset or --worlds is needed, not both")
    options = TrainOptions(seed, trees, tuple(hold_out or ()))
    try:
        if dataset:
            stored = train_on(dataset, options, Registry(registry), _report)
        else:
            plan = WorldPlan(worlds, strings_per_location, years)
            source = WorldSource(scratch, tuple(shlex.split(synth_command)), plan)
            stored = train_on_worlds(source, options, Registry(registry), _report)
    except (DatasetRefused, RegistryError, WorldsRefused, OSError) as refused:
        raise _refuse(str(refused)) from refused
    version, metrics = stored.manifest.version, stored.manifest.metrics
    rounded = {name: round(value, 3) for name, value in metrics.items()}
    typer.echo(json.dumps({"progress": 0.99, "step": "published", "version": version, "metrics": rounded}))


@app.command()
def features(
    data: Annotated[Path, typer.Option(help="folder of lives, as written by battery-synth training")],
    *,
    out: Annotated[Path | None, typer.Option(help="folder for the features; default: model_inputs in DATA")] = None,
    seed: Annotated[int, typer.Option(min=0, help="as of train: which strings are seen with a short history")] = 1,
) -> None:
    """Write the features that training takes of a dataset; their labels go to its truth. Prints progress as JSON."""
    try:
        written = write_model_inputs(LifeDataset.open(data), FEATURES, out or data / "model_inputs", seed, _report)
    except (DatasetRefused, OSError) as refused:
        raise _refuse(str(refused)) from refused
    typer.echo(json.dumps({"progress": 1.0, "step": "written", **written._asdict()}))


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Option("--dataset", help="folder of lives that the version was not trained on")],
    version: Annotated[str | None, typer.Option("--version", help="default: the champion")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print all metrics as JSON")] = False,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Evaluate a version on a dataset against naive baselines, by remaining life and location."""
    store = Registry(registry)
    try:
        stored = store.load(version or store.alias().version)
        data = LifeDataset.open(dataset)
        if data.sha256 == stored.manifest.data_sha256:
            raise _refuse(f"{stored.manifest.version} was trained on {dataset}; evaluate on a dataset of another seed")
        report = evaluate_version(stored, judged_snapshots(data, FEATURES), FEATURES)
    except (DatasetRefused, RegistryError, ValueError) as refused:
        raise _refuse(str(refused)) from refused
    if as_json:
        typer.echo(json.dumps(report.as_dict()))
        return
    console.print(table_of(report))


@app.command()
def export(
    version: Annotated[str, typer.Argument(help="version to write")],
    out: Annotated[Path, typer.Option("--out", help="folder for its files")],
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Write the files of a version to a folder, for example as the model that comes with the package."""
    try:
        write_model(Registry(registry).load(version), out)
    except (RegistryError, OSError) as refused:
        raise _refuse(str(refused)) from refused
    console.print(f"{version} written to {out}", markup=False, highlight=False)


def _report(progress: float, step: str) -> None:
    typer.echo(json.dumps({"progress": round(progress, 3), "step": step}))


def _refuse(reason: str) -> typer.Exit:
    errors.print(f"refused: {reason}", style="red", markup=False)
    return typer.Exit(REFUSED)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
