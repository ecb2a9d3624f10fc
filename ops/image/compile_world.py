"""Compile the kernels of the synthetic world and move them to a folder; used when the simulator's image is built.

Run: compile_world.py FOLDER. A history of two days of the smallest location and a minute of its feed go through every
kernel that the image runs. The kernels lie beside the package afterwards, where the user who runs the image may not
write and so does not look; in FOLDER he finds them.
"""

import shutil
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from battery_sim.feed import Feed, FeedPlan
from battery_synth.catalogue import build_catalogue
from battery_synth.compiled import cache_folder
from battery_synth.history import write_history
from battery_synth.world import World

SEED = 1
END = datetime(2026, 1, 3, tzinfo=UTC)


def main() -> None:
    """Compile, then move."""
    rows = build_catalogue(SEED, as_of=END.date())
    smallest = Counter(row.location_id for row in rows).most_common()[-1][0]
    fleet = tuple(row for row in rows if row.location_id == smallest)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = folder / "checkpoint"
        start = END - timedelta(days=2)
        write_history(
            fleet, folder / "history", seed=SEED, start=start, end=END, checkpoint=checkpoint, progress=_ignore
        )
        feed = Feed(World.load(checkpoint.read_bytes(), fleet), FeedPlan())
        for second in range(1, 61):
            feed.tick(END + timedelta(seconds=second))
    target = Path(sys.argv[1]) / cache_folder().name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(cache_folder(), target)
    if not any(target.rglob("*.nbc")):
        sys.exit(f"No machine code was written to {target}")


def _ignore(done: int, total: int) -> None:
    """Take the progress of the history and show nothing."""


main()
