"""Which subjects are silent: one alert at the widest scope that says no more than what is known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from battery_api.alerts.engine.rules import SubjectKind

SubjectRef = tuple[SubjectKind, int]


class Hearing(StrEnum):
    """How long ago a battery was heard."""

    FRESH = "fresh"
    LATE = "late"
    """Over half its time: perhaps the others of its gateway are silent already and it will be soon."""
    UNDECIDED = "undecided"
    """Stale, but the watch has not looked on for as long: it neither raises nor clears."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Heard:
    """A battery that has been heard at least once; one that never was has no data and no alert."""

    location: int
    string: int
    battery: int
    hearing: Hearing


def hearing_of(age_s: float, watched_s: float, stale_after_s: float) -> Hearing:
    """Judge a battery by the age of its newest reading and by how long silence has been watched."""
    if age_s <= stale_after_s:
        return Hearing.LATE if age_s > stale_after_s / 2 else Hearing.FRESH
    return Hearing.SILENT if min(age_s, watched_s) > stale_after_s else Hearing.UNDECIDED


def silent_subjects(
    heard: Sequence[Heard], is_open: frozenset[SubjectRef], may_narrow: frozenset[SubjectRef]
) -> set[SubjectRef]:
    """Return the subjects that should have an open stale alert.

    Parameters
    ----------
    is_open
        Subjects that have one now.
    may_narrow
        Open locations and strings of which a part has been back for long enough, so that the alert may give way to
        narrower ones for the rest; until then it stands, because the rest is probably about to return as well.
    """
    wanted: set[SubjectRef] = set()
    for location, members in _grouped(heard, _location):
        ref = (SubjectKind.LOCATION, location)
        if _covers(members, ref, is_open, may_narrow):
            wanted.add(ref)
            continue
        # Everything is late: a whole gateway is falling silent, so wait for the one alert that says so.
        waits = not any(item.hearing is Hearing.FRESH for item in members)
        for string, blocks in _grouped(members, _string):
            wanted |= _silent_in_string((SubjectKind.STRING, string), blocks, is_open, may_narrow, waits=waits)
    return wanted


def partly_back(heard: Sequence[Heard], is_open: frozenset[SubjectRef]) -> set[SubjectRef]:
    """Return the open locations and strings of which a part is heard again and a part is not."""
    back = set()
    for kind, key_of in ((SubjectKind.LOCATION, _location), (SubjectKind.STRING, _string)):
        for key, members in _grouped(heard, key_of):
            stale = [item.hearing in _STALE for item in members]
            if (kind, key) in is_open and any(stale) and not all(stale):
                back.add((kind, key))
    return back


_STALE = frozenset({Hearing.SILENT, Hearing.UNDECIDED})


def _silent_in_string(
    ref: SubjectRef,
    blocks: Sequence[Heard],
    is_open: frozenset[SubjectRef],
    may_narrow: frozenset[SubjectRef],
    *,
    waits: bool,
) -> set[SubjectRef]:
    if _covers(blocks, ref, is_open, may_narrow) and (not waits or ref in is_open):
        return {ref}
    waits = waits or not any(item.hearing is Hearing.FRESH for item in blocks)
    wanted = set()
    for item in blocks:
        battery = (SubjectKind.BATTERY, item.battery)
        stands = battery in is_open and item.hearing in _STALE
        if stands or (item.hearing is Hearing.SILENT and not waits):
            wanted.add(battery)
    return wanted


def _covers(
    members: Sequence[Heard], ref: SubjectRef, is_open: frozenset[SubjectRef], may_narrow: frozenset[SubjectRef]
) -> bool:
    if all(item.hearing is Hearing.SILENT for item in members):
        return True
    if ref not in is_open:
        return False
    stale = [item.hearing in _STALE for item in members]
    return all(stale) or (any(stale) and ref not in may_narrow)


def _location(item: Heard) -> int:
    return item.location


def _string(item: Heard) -> int:
    return item.string


def _grouped(heard: Iterable[Heard], key_of: Callable[[Heard], int]) -> list[tuple[int, list[Heard]]]:
    groups: dict[int, list[Heard]] = {}
    for item in heard:
        groups.setdefault(key_of(item), []).append(item)
    return list(groups.items())
