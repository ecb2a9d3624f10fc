"""One batch inside its transaction: lock, insert, judge, update; the steps of a reading's life in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.timescale import Engine
from battery_api.telemetry import counters, publication
from battery_api.telemetry.checks import CheckedBatch, CheckedRows, quality_of
from battery_api.telemetry.discharge_marks import discharging, mark_discharges
from battery_api.telemetry.estimates import Estimates
from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.instants import hour_floor, instants_of, microseconds
from battery_api.telemetry.intervals import learn_interval
from battery_api.telemetry.live_state import LockedStates, Places, read_states
from battery_api.telemetry.metrics import STAGE_SECONDS
from battery_api.telemetry.ports import (
    BatchVerdict,
    BatterySubjects,
    Judge,
    JudgedBatch,
    LocationSubjects,
    StringSubjects,
)
from battery_api.telemetry.publication import Newest, Publication
from battery_api.telemetry.rows import BATTERY_SHAPE, LOCATION_SHAPE, BoolArray, FloatArray, IntArray
from battery_api.telemetry.state_updates import Arrived, StateWriter
from battery_api.telemetry.strings import (
    History,
    ModeTimeline,
    currents_from_batteries,
    mode_timeline,
    string_currents,
)
from battery_api.telemetry.writer import (
    Column,
    insert_rows,
    instants,
    integers,
    mark_rollups,
    reals,
    write_open_counts,
    write_rule_states,
)
from battery_contracts.enums import ReadingQuality


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch did to the store, and the news it makes."""

    accepted: int
    duplicates: int
    late: int
    publication: Publication


@dataclass(frozen=True, slots=True)
class Scene:
    """The entries that a batch touches and their state rows, locked."""

    places: Places
    states: LockedStates


class BatchTransaction:
    """Carries one checked batch through its transaction.

    Parameters
    ----------
    listened
        Batteries with a listener of their own, who get a message each.
    estimates
        What the digital twin said before the transaction began, if it did.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        fleet: FleetIndex,
        engine: Engine,
        judge: Judge,
        received_at: datetime,
        listened: frozenset[str] = frozenset(),
        estimates: Estimates | None = None,
    ) -> None:
        self._connection = connection
        self._fleet = fleet
        self._engine = engine
        self._judge = judge
        self._received_at = received_at
        self._listened = listened
        self._estimates = estimates

    async def run(self, checked: CheckedBatch) -> Stored:
        """Store a batch and judge it; the caller commits.

        Raises
        ------
        EstimatesOutdated
            Another batch moved the estimator state of a battery meanwhile; nothing was written.
        """
        places = Places.of(checked, self._fleet)
        with STAGE_SECONDS.labels("lock").time():
            states = await read_states(self._connection, self._fleet, places, lock=True)
        scene = Scene(places, states)
        if self._estimates is not None:
            self._estimates.require_unmoved(states.batteries)
        with STAGE_SECONDS.labels("insert").time():
            batteries, timeline = await self._insert_batteries(checked, scene)
            strings = await self._insert_strings(checked.strings, scene, timeline)
            sites = await self._insert_sites(checked.sites, scene)
            await self._mark(batteries, strings, places)
        with STAGE_SECONDS.labels("judge").time():
            verdict = await self._judge_newer(scene, batteries, strings, sites, timeline)
        with STAGE_SECONDS.labels("update").time():
            news = await self._update(checked, scene, (batteries, strings, sites, timeline), verdict)
        arrived = (batteries, strings, sites)
        return Stored(
            accepted=sum(int(rows.is_new.sum()) for rows in arrived),
            duplicates=sum(int((~rows.is_new).sum()) for rows in arrived),
            late=sum(int((rows.is_new & rows.is_late).sum()) for rows in arrived),
            publication=news,
        )

    async def _insert_batteries(self, checked: CheckedBatch, scene: Scene) -> tuple[Arrived, ModeTimeline]:
        rows = checked.batteries
        subject = np.searchsorted(scene.places.batteries, rows.place)
        is_late = rows.time_us <= scene.states.batteries.last_us[subject]
        string = scene.places.string_of_battery[subject]
        timeline = self._timeline(checked, scene, (string, is_late))
        values = dict(rows.values)
        quality = quality_of(values) | np.where(is_late, int(ReadingQuality.LATE), 0)
        quality |= self._fill_currents(values, string, rows.time_us, checked.strings, scene)
        estimated = self._estimates.of_newer(is_late) if self._estimates is not None else None
        if estimated is None:
            quality |= int(ReadingQuality.TWIN_UNAVAILABLE)
        else:
            soc_pct, soh_pct = estimated.values["soc_pct"], estimated.values["soh_pct"]
            values |= {"soc_pct": soc_pct, "soh_pct": soh_pct}
            quality |= np.where(np.isnan(soc_pct), int(ReadingQuality.TWIN_UNAVAILABLE), 0)
        columns = [
            integers("battery_id", self._fleet.key["battery"][rows.place]),
            instants("time", rows.time_us),
            *(reals(name, column) for name, column in values.items()),
            integers("quality", quality, kind="smallint"),
        ]
        is_new = await insert_rows(self._connection, "telemetry", columns)
        return Arrived(subject, rows.time_us, values, quality, is_late, is_new, estimated), timeline

    def _timeline(self, checked: CheckedBatch, scene: Scene, batteries: tuple[IntArray, BoolArray]) -> ModeTimeline:
        rows = checked.strings
        row_string = np.searchsorted(scene.places.strings, rows.place)
        fresh = np.flatnonzero(rows.time_us > scene.states.strings.last_us[row_string])
        newer = CheckedRows(
            place=rows.place[fresh],
            time_us=rows.time_us[fresh],
            values={name: column[fresh] for name, column in rows.values.items()},
            words={name: [column[at] for at in fresh.tolist()] for name, column in rows.words.items()},
        )
        speaks = np.zeros(len(scene.places.strings), bool)
        speaks[row_string] = True
        string, is_late = batteries
        # Blocks tell the current of a string that is silent itself, but never about a time it has passed.
        passed = np.array([max(state.since_us, state.discharged_us) for state in scene.states.strings.mode], np.int64)
        passed = np.maximum(passed, scene.states.strings.last_us)
        usable = ~is_late & (checked.batteries.time_us > passed[string]) if len(string) else is_late
        current = np.where(usable, checked.batteries.values["current_a"], np.nan)
        derived = currents_from_batteries(string, checked.batteries.time_us, current, speaks)
        return mode_timeline(scene.states.strings, newer, row_string[fresh], derived)

    @staticmethod
    def _fill_currents(
        values: dict[str, FloatArray],
        string: IntArray,
        time_us: IntArray,
        strings: CheckedRows,
        scene: Scene,
    ) -> IntArray:
        """Give blocks without a current that of their string, and return the flags that say so."""
        missing = np.flatnonzero(np.isnan(values["current_a"]))
        flags = np.zeros(len(time_us), np.int64)
        if not len(missing):
            return flags
        current = values["current_a"].copy()
        current[missing] = string_currents(
            scene.states.strings, strings, scene.places, string[missing], time_us[missing]
        )
        values["current_a"] = current
        flags[missing] = np.where(np.isnan(current[missing]), 0, int(ReadingQuality.CURRENT_FROM_STRING))
        return flags

    async def _insert_strings(self, rows: CheckedRows, scene: Scene, timeline: ModeTimeline) -> Arrived:
        subject = np.searchsorted(scene.places.strings, rows.place)
        is_late = rows.time_us <= scene.states.strings.last_us[subject]
        modes, _ = timeline.at(subject, rows.time_us)
        # Of a late reading only the sender can say what the string was doing.
        given = rows.words["mode"]
        named = [given[at] if is_late[at] else modes[at] for at in range(len(rows))]
        columns = [
            integers("string_id", self._fleet.key["string"][rows.place]),
            instants("time", rows.time_us),
            *(reals(name, column) for name, column in rows.values.items()),
            Column("mode", "text", [None if mode is None else str(mode) for mode in named]),
        ]
        is_new = await insert_rows(self._connection, "string_telemetry", columns)
        return Arrived(subject, rows.time_us, rows.values, None, is_late, is_new)

    async def _insert_sites(self, rows: CheckedRows, scene: Scene) -> Arrived:
        subject = np.searchsorted(scene.places.locations, rows.place)
        is_late = rows.time_us <= scene.states.locations.last_us[subject]
        mains = [None if word is None else int(word) for word in rows.words["mains"]]
        columns = [
            integers("location_id", self._fleet.key["location"][rows.place]),
            instants("time", rows.time_us),
            *(reals(name, column) for name, column in rows.values.items()),
            Column("hvac", "text", [None if word is None else str(word) for word in rows.words["hvac"]]),
            Column("mains", "smallint", mains),
        ]
        is_new = await insert_rows(self._connection, "site_environment", columns)
        # Words travel to the rules as numbers: mains 1 or 0, hvac as its place among the states.
        values = dict(rows.values) | _words_as_numbers(rows.words)
        return Arrived(subject, rows.time_us, values, None, is_late, is_new, words=rows.words)

    async def _mark(self, batteries: Arrived, strings: Arrived, places: Places) -> None:
        keys = self._fleet.key["string"][places.strings]
        told, heard = _may_discharge(batteries), _may_discharge(strings)
        string = np.concatenate([places.string_of_battery[batteries.subject[told]], strings.subject[heard]])
        time_us = np.concatenate([batteries.time_us[told], strings.time_us[heard]])
        await mark_discharges(self._connection, keys[string], time_us)
        if self._engine is Engine.TIMESCALE:
            return
        new = np.flatnonzero(batteries.is_new)
        string = places.string_of_battery[batteries.subject[new]]
        await mark_rollups(self._connection, keys[string], hour_floor(batteries.time_us[new]))

    async def _judge_newer(
        self,
        scene: Scene,
        batteries: Arrived,
        strings: Arrived,
        sites: Arrived,
        timeline: ModeTimeline,
    ) -> BatchVerdict:
        readings = batteries.newer_by_time(BATTERY_SHAPE.channel_names)
        string_readings = strings.newer_by_time(tuple(strings.values))
        site_readings = sites.newer_by_time(tuple(sites.values))
        if not (len(readings) or len(string_readings) or len(site_readings)):
            return BatchVerdict()
        times = readings.time.view(np.int64)
        mode, settled = timeline.at(scene.places.string_of_battery[readings.subject], times)
        room = History.of(
            (scene.states.locations.last_us, scene.states.locations.ambient_c, scene.states.locations.interval_s),
            (sites.subject, sites.time_us, sites.values["ambient_c"]),
        )
        verdict = await self._judge.judge(
            self._connection,
            JudgedBatch(
                batteries=self._battery_subjects(scene),
                strings=StringSubjects(
                    entries=[self._fleet.strings[place] for place in scene.places.strings.tolist()],
                    rule_state=scene.states.strings.rule_state,
                    last_time=instants_of(scene.states.strings.last_us),
                    mode=[state.mode for state in scene.states.strings.mode],
                ),
                locations=LocationSubjects(
                    entries=[self._fleet.locations[place] for place in scene.places.locations.tolist()],
                    rule_state=scene.states.locations.rule_state,
                    last_time=instants_of(scene.states.locations.last_us),
                ),
                battery_readings=readings,
                string_readings=string_readings,
                location_readings=site_readings,
                mode=mode,
                settled=settled,
                room_c=room.at(scene.places.location_of_battery[readings.subject], times),
                received_at=self._received_at,
            ),
        )
        await self._write_verdict(scene.places, verdict)
        return verdict

    def _battery_subjects(self, scene: Scene) -> BatterySubjects:
        return BatterySubjects(
            entries=[self._fleet.batteries[place] for place in scene.places.batteries.tolist()],
            string_index=scene.places.string_of_battery,
            location_index=scene.places.location_of_battery,
            rule_state=scene.states.batteries.rule_state,
            last_time=instants_of(scene.states.batteries.last_us),
            open_counts=scene.states.batteries.open_counts,
        )

    async def _write_verdict(self, places: Places, verdict: BatchVerdict) -> None:
        changes = (
            ("location", places.locations, verdict.location_rule_state),
            ("string", places.strings, verdict.string_rule_state),
            ("battery", places.batteries, verdict.battery_rule_state),
        )
        for kind, subjects, changed in changes:
            order = sorted(changed)
            keys = self._fleet.key[kind][subjects[order]].tolist() if order else []
            await write_rule_states(self._connection, kind, keys, [changed[at] for at in order])
        keys_of = self._fleet.key["battery"][places.batteries]
        counts = {int(keys_of[at]): count for at, count in verdict.open_counts.items()}
        await write_open_counts(self._connection, counts)

    async def _update(
        self,
        checked: CheckedBatch,
        scene: Scene,
        arrived: tuple[Arrived, Arrived, Arrived, ModeTimeline],
        verdict: BatchVerdict,
    ) -> Publication:
        batteries, strings, sites, timeline = arrived
        writer = StateWriter(self._connection, self._fleet, self._received_at)
        tally = counters.tally(
            scene.states.batteries.count_day_us,
            stored=(batteries.subject, batteries.time_us, batteries.is_new, batteries.is_late),
            repeated=_subjects(checked.repeated, scene.places.batteries),
            refused=_subjects(checked.refused, scene.places.batteries),
        )
        interval_s = learn_interval(
            scene.states.batteries.interval_s, scene.states.batteries.last_us, *batteries.newer_by_subject()
        )
        newest = batteries.newest()
        await writer.write_batteries(
            scene.places.batteries, scene.states.batteries, batteries, interval_s=interval_s, tally=tally
        )
        await writer.write_strings(scene.places.strings, scene.states.strings, strings, timeline)
        talking = np.unique(scene.places.location_of_battery[batteries.subject[newest]])
        await writer.write_locations(scene.places.locations, scene.states.locations, sites, talking)
        return self._news(scene, batteries, newest, interval_s, verdict)

    def _news(
        self,
        scene: Scene,
        batteries: Arrived,
        newest: IntArray,
        interval_s: FloatArray,
        verdict: BatchVerdict,
    ) -> Publication:
        subject = batteries.subject[newest]
        counts = scene.states.batteries.open_counts.copy()
        before = publication.statuses(
            scene.states.batteries.last_us[subject],
            scene.states.batteries.interval_s[subject],
            counts[subject],
            microseconds(self._received_at),
        )
        for at, changed in verdict.open_counts.items():
            counts[at] = changed
        # The reading that just came may be old by its own time, as in a drained backlog: then it is still stale.
        after = publication.statuses(
            batteries.time_us[newest], interval_s[subject], counts[subject], microseconds(self._received_at)
        )
        news = Newest(
            code=[self._fleet.batteries[place].code for place in scene.places.batteries[subject].tolist()],
            location=scene.places.location_of_battery[subject],
            seq=scene.states.batteries.seq[subject] + 1,
            time_us=batteries.time_us[newest],
            values={name: column[newest] for name, column in batteries.values.items()},
            status_before=before,
            status_after=after,
            open_before=scene.states.batteries.open_counts[subject],
            open_counts=counts[subject],
        )
        codes = [self._fleet.locations[place].code for place in scene.places.locations.tolist()]
        return Publication(
            telemetry=publication.telemetry_updates(
                news,
                location_codes=codes,
                location_seq=scene.states.locations.seq + 1,
                listened=self._listened,
                received_at=self._received_at,
            ),
            statuses=publication.status_updates(news, codes),
            alerts=verdict.events,
        )


def _may_discharge(rows: Arrived) -> IntArray:
    # A late reading may show that two discharges were one, or one two, whatever it says itself.
    return np.flatnonzero(rows.is_new & (discharging(rows.values["current_a"]) | rows.is_late))


def _subjects(pairs: Sequence[tuple[int, int]], places: IntArray) -> tuple[IntArray, IntArray]:
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return np.searchsorted(places, table[:, 0]), table[:, 1]


def _words_as_numbers(words: Mapping[str, Sequence[object]]) -> dict[str, FloatArray]:
    numbers = {}
    for name, options in LOCATION_SHAPE.words.items():
        rank: dict[object, float] = {option: float(at) for at, option in enumerate(options)}
        numbers[name] = np.array([np.nan if word is None else rank[word] for word in words[name]], np.float64)
    return numbers
