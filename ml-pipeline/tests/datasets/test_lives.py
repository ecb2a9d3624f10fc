"""Lives from events, against a plain reading of the definition, battery by battery."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_ml.datasets.folder import DAY_US, DatasetRefused, LifeDataset
from battery_ml.datasets.lives import BatteryLives, read_lives

START = datetime(2020, 1, 1, tzinfo=UTC)
START_US = round(START.timestamp()) * 1_000_000
END_DAY = 1000


@dataclass(frozen=True)
class Event:
    battery: str
    generation: int
    kind: str
    day: int


def dataset(folder: Path, events: list[Event]) -> LifeDataset:
    (folder / "master").mkdir(parents=True, exist_ok=True)
    (folder / "truth" / "lives").mkdir(parents=True, exist_ok=True)
    batteries = sorted({event.battery for event in events})
    lines = ["location_id,string_id,battery_id,model_id,baseline_resistance_mohm"]
    lines += [f"L,S,{battery},CSB-HX12-120,4.0" for battery in batteries]
    (folder / "master" / "fleet.csv").write_text("\n".join(lines))
    table = pa.table(
        {
            "time": pa.array([START + timedelta(days=event.day) for event in events], pa.timestamp("us", tz="UTC")),
            "kind": [event.kind for event in events],
            "battery_id": [event.battery for event in events],
            "generation": pa.array([event.generation for event in events], pa.int32()),
        }
    )
    pq.write_table(table, folder / "truth" / "lives" / "part.parquet")
    manifest = {
        "kind": "training",
        "end": (START + timedelta(days=END_DAY)).isoformat(),
        "file_format": "parquet",
        "rows": {"telemetry_daily": 1, "truth/lives": len(events)},
        "files": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return LifeDataset.open(folder)


def in_days(lives: BatteryLives) -> list[tuple[int, int, int, int, bool]]:
    columns = (lives.installed_us, lives.until_us)
    installed, until = (((column - START_US) // DAY_US).tolist() for column in columns)
    return list(
        zip(
            lives.battery_slot.tolist(),
            lives.generation.tolist(),
            installed,
            until,
            lives.has_failed.tolist(),
            strict=True,
        )
    )


def test_failed_removed_and_surviving_lives(tmp_path: Path) -> None:
    events = [
        Event("A", 0, "installed", 0),
        Event("A", 0, "failed", 300),
        Event("A", 0, "removed", 310),
        Event("A", 1, "installed", 310),
        Event("B", 0, "installed", 5),
        Event("B", 0, "removed", 400),
        Event("B", 0, "failed", 450),
        Event("C", 0, "installed", 7),
        Event("C", 0, "failed", END_DAY + 1),
    ]
    assert in_days(read_lives(dataset(tmp_path, events))) == [
        (0, 0, 0, 300, True),
        (0, 1, 310, END_DAY, False),
        (1, 0, 5, 400, False),
        (2, 0, 7, END_DAY, False),
    ]


def test_the_first_failure_ends_a_life(tmp_path: Path) -> None:
    events = [Event("A", 0, "installed", 0), Event("A", 0, "failed", 500), Event("A", 0, "failed", 200)]
    assert in_days(read_lives(dataset(tmp_path, events))) == [(0, 0, 0, 200, True)]


def test_lives_without_a_failure_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetRefused, match="no battery failed"):
        read_lives(dataset(tmp_path, [Event("A", 0, "installed", 0), Event("A", 0, "removed", 100)]))


@settings(max_examples=40, deadline=None)
@given(
    ends=st.lists(
        st.tuples(st.integers(1, 2 * END_DAY) | st.none(), st.integers(1, 2 * END_DAY) | st.none()),
        min_size=1,
        max_size=8,
    ),
    order=st.randoms(use_true_random=False),
)
def test_any_events_in_any_order_give_the_lives_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[int | None, int | None]], order: object
) -> None:
    ends = [*ends, (50, None)]
    events = []
    for number, (failed, removed) in enumerate(ends):
        battery = f"B{number:02}"
        events.append(Event(battery, 0, "installed", 0))
        events += [Event(battery, 0, "failed", failed)] if failed is not None else []
        events += [Event(battery, 0, "removed", removed)] if removed is not None else []
    order.shuffle(events)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    lives = in_days(read_lives(dataset(tmp_path_factory.mktemp("lives"), events)))
    for (failed, removed), (_, _, _, until, has_failed) in zip(ends, lives, strict=True):
        last_day = min(END_DAY, removed if removed is not None else END_DAY)
        assert has_failed is (failed is not None and failed <= last_day)
        assert until == (failed if has_failed else last_day)
