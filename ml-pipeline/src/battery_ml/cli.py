"""``battery-ml``: train and evaluate models, look at the registry, promote a version and predict from a file."""

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from battery_contracts.ml import RulBatchRequest, RulBatchResponse
from battery_ml.datasets.folder import Dataset, DatasetRefused
from battery_ml.evaluation.evaluate import evaluate as evaluate_version
from battery_ml.evaluation.evaluate import snapshots_of
from battery_ml.evaluation.table import table_of
from battery_ml.features.definition import FEATURES
from battery_ml.registry.catalogue import list_summaries
from battery_ml.registry.errors import RegistryError
from battery_ml.registry.store import CHAMPION, Registry
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.requests import history_of_batch
from battery_ml.training.fit import TREES
from battery_ml.training.run import learn, prepare, publish

app = typer.Typer(help="Remaining useful life.", no_args_is_help=True, add_completion=False)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)
REFUSED = 2

Address = Annotated[
    str, typer.Option("--registry", envvar="MODEL_REGISTRY", help="folder or fsspec address of the models")
]
DEFAULT_ADDRESS = ".data/models"


@app.command()
def models(registry: Address = DEFAULT_ADDRESS) -> None:
    """List the versions, newest first, with their aliases and faults."""
    found = list_summaries(Registry(registry))
    if not found:
        console.print(f"no models in {registry}", markup=False)
    for model in found:
        facts = " ".join(f"{name}={value:.4g}" for name, value in sorted(model.metrics.items()))
        told = [model.version, f"[{', '.join(model.aliases)}]" if model.aliases else "", model.fault or facts]
        console.print(" ".join(part for part in told if part), markup=False, highlight=False)


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="version to use from now on")] = None,
    roll_back: Annotated[bool, typer.Option("--rollback", help="go back to the champion before")] = False,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Make a version the champion; running services follow within a second."""
    if (version is None) is not roll_back:
        raise _refuse("a version or --rollback is needed, and not both")
    store = Registry(registry)
    try:
        if version is None:
            named = store.roll_back()
        else:
            Predictor(store.load(version), FEATURES)
            named = store.assign(version)
    except RegistryError as refused:
        raise _refuse(str(refused)) from refused
    console.print(f"{CHAMPION}: {named.version} (before: {named.previous or 'none'})", markup=False, highlight=False)


@app.command()
def predict(
    request: Annotated[Path, typer.Argument(help="JSON of a batch, as the service takes it")],
    version: Annotated[str | None, typer.Option("--version", help="by default the champion")] = None,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Predict a batch from a file and print the answer as JSON."""
    store = Registry(registry)
    try:
        history = history_of_batch(RulBatchRequest.model_validate_json(request.read_bytes()))
        predictor = Predictor(store.load(version or store.alias().version), FEATURES)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise _refuse(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from invalid
    except (RegistryError, OSError, ValueError) as refused:
        raise _refuse(str(refused)) from refused
    answer = RulBatchResponse(model_version=predictor.version, predictions=predictor.predict(history))
    console.print_json(answer.model_dump_json())


@app.command()
def train(
    dataset: Annotated[Path, typer.Option("--dataset", help="folder of lives, as battery-synth training writes it")],
    seed: Annotated[int, typer.Option(min=0, help="of the split and of the trees")] = 1,
    trees: Annotated[int, typer.Option(min=1, max=5000, help="at most")] = TREES,
    hold_out: Annotated[
        list[str] | None, typer.Option("--hold-out", help="location to learn nothing from; may be repeated")
    ] = None,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Train a version and publish it; it waits as a candidate until it is promoted. Prints progress as JSON lines."""
    try:
        lessons = prepare(
            Dataset.at(dataset),
            FEATURES,
            seed=seed,
            without_locations=hold_out or (),
            progress=lambda share, step: _say(0.6 * share, step),
        )
        stored = learn(
            lessons, FEATURES, seed=seed, trees=trees, progress=lambda share, step: _say(0.6 + 0.35 * share, step)
        )
        version = publish(stored, Registry(registry))
    except (DatasetRefused, RegistryError) as refused:
        raise _refuse(str(refused)) from refused
    figures = {name: round(value, 3) for name, value in stored.manifest.metrics.items()}
    typer.echo(json.dumps({"progress": 0.99, "step": "published", "version": version, "metrics": figures}))


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Option("--dataset", help="a world that the version did not learn from")],
    version: Annotated[str | None, typer.Option("--version", help="by default the champion")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print all figures as JSON")] = False,
    registry: Address = DEFAULT_ADDRESS,
) -> None:
    """Judge a version on a world of lives, beside naive baselines, by horizon and site."""
    store = Registry(registry)
    try:
        stored = store.load(version or store.alias().version)
        data = Dataset.at(dataset)
        if data.sha256 == stored.manifest.data_sha256:
            raise _refuse(f"{dataset} is what {stored.manifest.version} learnt from; evaluate on another seed")
        found = evaluate_version(stored, data, snapshots_of(data, FEATURES), FEATURES)
    except (DatasetRefused, RegistryError, ValueError) as refused:
        raise _refuse(str(refused)) from refused
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    console.print(table_of(found))


def _say(progress: float, step: str) -> None:
    typer.echo(json.dumps({"progress": round(progress, 3), "step": step}))


def _refuse(reason: str) -> typer.Exit:
    errors.print(f"refused: {reason}", style="red", markup=False)
    return typer.Exit(REFUSED)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
