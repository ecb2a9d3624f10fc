"""The realism report: one page that opens anywhere, with every check and every picture."""

from pathlib import Path

import jinja2

from battery_synth.realism import plots
from battery_synth.realism.checks import Check, all_checks
from battery_synth.realism.quality import quality_of
from battery_synth.realism.survival import lives_of
from battery_synth.realism.tables import Dataset, population
from battery_synth.storage.files import write_atomically

_PAGE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Realism of the generated data</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1e293b}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #e2e8f0;vertical-align:top}
.pass{color:#15803d;font-weight:600}.fail{color:#b91c1c;font-weight:600}svg{max-width:100%;height:auto}
.note{color:#64748b}figure{margin:1rem 0;overflow-x:auto}
</style></head><body>
<h1>Realism of the generated data</h1>
<p>{{ passed }} of {{ checks|length }} checks hold{% if missing %}; {{ missing|length }} could not be made{% endif %}.</p>
<table><tr><th>check</th><th>must be</th><th>is</th><th></th><th>because</th></tr>
{% for check in checks %}
<tr><td>{{ check.name }}</td><td>{{ check.limit }}</td><td>{{ check.found }}</td>
<td class="{{ 'pass' if check.passed else 'fail' }}">{{ 'holds' if check.passed else 'fails' }}</td><td class="note">{{ check.source }}</td></tr>
{% endfor %}
{% for reason in missing %}<tr><td class="note" colspan="5">not checked: {{ reason }}</td></tr>{% endfor %}
</table>
{% if quality %}
<h2>Quality of the readings</h2>
<table><tr><th>channel</th><th>rows</th><th>missing</th><th>out of range</th><th>from</th><th>to</th></tr>
{% for channel in quality.channels %}
<tr><td>{{ channel.name }}</td><td>{{ '{:,}'.format(channel.rows) }}</td><td>{{ '%.3f' % (100 * channel.missing) }} %</td>
<td>{{ '%.4f' % (100 * channel.out_of_range) }} %</td><td>{{ '%.3g' % channel.low }}</td><td>{{ '%.4g' % channel.high }}</td></tr>
{% endfor %}</table>
<p class="note">{{ quality.repeats }} repeated rows; {{ '%.3f' % (100 * quality.absent) }} % of the regular grid has no row (silent strings).
Resistance is measured once a day.</p>
{% endif %}
{% for title, svg in pictures %}<h2>{{ title }}</h2><figure>{{ svg|safe }}</figure>{% endfor %}
<h2>How it was made</h2>
<table>{% for name, facts in manifests %}<tr><td>{{ name }}</td><td>{{ facts }}</td></tr>{% endfor %}</table>
</body></html>
"""
)


def write_report(path: Path, *, data: Dataset | None, training: Dataset | None, seed: int) -> list[Check]:
    """Check, draw and write the page; return the checks."""
    checks, missing = all_checks(data, training, seed=seed)
    pictures = [("A year of weather and rooms", plots.as_svg(plots.one_year(seed)))]
    quality = None
    if data is not None and data.has("telemetry"):
        quality = quality_of(data)
        pictures += [
            ("Spread of the readings", plots.as_svg(plots.distributions(data))),
            ("One day", plots.as_svg(plots.one_day(data))),
        ]
        outage = plots.one_outage(data)
        if outage is not None:
            pictures.append(("One discharge", plots.as_svg(outage)))
    if training is not None and training.has("telemetry_daily"):
        seen, lives = population(training), lives_of(training)
        pictures += [
            ("Ageing by site", plots.as_svg(plots.ageing_fans(seen))),
            ("What resistance tells", plots.as_svg(plots.resistance_against_capacity(seen))),
            ("Failures", plots.as_svg(plots.failure_rates(lives))),
        ]
    manifests = [
        (name, ", ".join(f"{key} {value}" for key, value in each.manifest.items() if key not in {"files", "rows"}))
        for name, each in (("readings", data), ("lives", training))
        if each is not None
    ]
    page = _PAGE.render(
        checks=checks, passed=sum(check.passed for check in checks), missing=missing, quality=quality,
        pictures=pictures, manifests=manifests,
    )  # fmt: skip
    write_atomically(path, page.encode())
    return checks
