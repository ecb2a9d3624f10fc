"""The realism report: one self-contained page with every check and every plot."""

from pathlib import Path

import jinja2

from battery_synth.realism import plots
from battery_synth.realism.checks.every import all_checks
from battery_synth.realism.checks.result import RealismCheck
from battery_synth.realism.quality import quality_of
from battery_synth.realism.survival import lives_of
from battery_synth.realism.tables import DatasetTables, population
from battery_synth.storage.files import write_atomically

_PAGES = jinja2.Environment(
    loader=jinja2.PackageLoader("battery_synth.realism", "pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def write_report(
    path: Path, *, data: DatasetTables | None, training: DatasetTables | None, seed: int
) -> list[RealismCheck]:
    """Run the checks, draw the plots, write the page; return the checks."""
    checks, missing = all_checks(data, training)
    pictures = [("One year of weather and rooms", plots.as_svg(plots.one_year(seed)))]
    quality = None
    if data is not None and data.has("telemetry"):
        quality = quality_of(data)
        pictures += [
            ("Distributions of the readings", plots.as_svg(plots.distributions(data))),
            ("One day", plots.as_svg(plots.one_day(data))),
        ]
        outage = plots.one_outage(data)
        if outage is not None:
            pictures.append(("One discharge", plots.as_svg(outage)))
    if training is not None and training.has("telemetry_daily"):
        sample, lives = population(training), lives_of(training)
        pictures += [
            ("Ageing by location", plots.as_svg(plots.ageing_fans(sample))),
            ("Resistance against capacity", plots.as_svg(plots.resistance_against_capacity(sample))),
            ("Failures", plots.as_svg(plots.failure_rates(lives))),
        ]
    manifests = [
        (name, ", ".join(f"{key} {value}" for key, value in each.manifest.items() if key not in {"files", "rows"}))
        for name, each in (("readings", data), ("lives", training))
        if each is not None
    ]
    page = _PAGES.get_template("report.html").render(
        checks=checks, passed=sum(check.passed for check in checks), missing=missing, quality=quality,
        pictures=pictures, manifests=manifests,
    )  # fmt: skip
    write_atomically(path, page.encode())
    return checks
