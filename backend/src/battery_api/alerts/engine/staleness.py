"""Which subjects are stale: one alert at the widest scope that says no more than the readings show."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from battery_api.alerts.engine.ladders import SubjectKind

SubjectRef = tuple[SubjectKind, int]
"""A subject by its kind and key."""


class Freshness(StrEnum):
    """Age of a battery's newest reading against its limit."""

    FRESH = "fresh"
    LATE = "late"
    """Beyond half the limit: if the other batteries of its monitor are stale already, it will be soon."""
    UNDECIDED = "undecided"
    """Stale, but watched for less than the limit: it neither raises nor clears."""
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class BatteryFreshness:
    """A battery with at least one reading, by its keys; one without any has no data and no alert."""

    location: int
    string: int
    battery: int
    freshness: Freshness


def freshness_of(age_s: float, watched_s: float, stale_after_s: float) -> Freshness:
    """Classify a battery by the age of its newest reading and by how long it has been watched."""
    if age_s <= stale_after_s:
        return Freshness.LATE if age_s > stale_after_s / 2 else Freshness.FRESH
    return Freshness.STALE if min(age_s, watched_s) > stale_after_s else Freshness.UNDECIDED


def stale_subjects(
    batteries: Sequence[BatteryFreshness], open_refs: frozenset[SubjectRef], may_narrow: frozenset[SubjectRef]
) -> set[SubjectRef]:
    """Return the subjects that should have an open stale alert.

    Parameters
    ----------
    open_refs
        Subjects that have one now.
    may_narrow
        Locations and strings with an open alert of which a part has been back for long enough, so that narrower alerts
        for the rest may replace it; until then it stays open, because the rest is probably about to return too.
    """
    stale: set[SubjectRef] = set()
    for location, members in _grouped(batteries, _location):
        ref = (SubjectKind.LOCATION, location)
        if _covers(members, ref, open_refs, may_narrow):
            stale.add(ref)
            continue
        # Everything is late: the whole location is going stale, so wait for the one alert that says so.
        waits = not any(item.freshness is Freshness.FRESH for item in members)
        for string, batteries_of_string in _grouped(members, _string):
            string_ref = (SubjectKind.STRING, string)
            stale |= _stale_in_string(string_ref, batteries_of_string, open_refs, may_narrow, waits=waits)
    return stale


def partly_back(batteries: Sequence[BatteryFreshness], open_refs: frozenset[SubjectRef]) -> set[SubjectRef]:
    """Return the locations and strings with an open alert of which a part reports again and a part does not."""
    back = set()
    for kind, key_of in ((SubjectKind.LOCATION, _location), (SubjectKind.STRING, _string)):
        for key, members in _grouped(batteries, key_of):
            is_stale = [item.freshness in _STALE for item in members]
            if (kind, key) in open_refs and any(is_stale) and not all(is_stale):
                back.add((kind, key))
    return back


_STALE = frozenset({Freshness.STALE, Freshness.UNDECIDED})


def _stale_in_string(
    ref: SubjectRef,
    batteries: Sequence[BatteryFreshness],
    open_refs: frozenset[SubjectRef],
    may_narrow: frozenset[SubjectRef],
    *,
    waits: bool,
) -> set[SubjectRef]:
    if _covers(batteries, ref, open_refs, may_narrow) and (not waits or ref in open_refs):
        return {ref}
    waits = waits or not any(item.freshness is Freshness.FRESH for item in batteries)
    stale = set()
    for item in batteries:
        battery = (SubjectKind.BATTERY, item.battery)
        stays_open = battery in open_refs and item.freshness in _STALE
        if stays_open or (item.freshness is Freshness.STALE and not waits):
            stale.add(battery)
    return stale


def _covers(
    members: Sequence[BatteryFreshness],
    ref: SubjectRef,
    open_refs: frozenset[SubjectRef],
    may_narrow: frozenset[SubjectRef],
) -> bool:
    """Return whether one alert at this scope describes all its batteries."""
    if all(item.freshness is Freshness.STALE for item in members):
        return True
    if ref not in open_refs:
        return False
    is_stale = [item.freshness in _STALE for item in members]
    return all(is_stale) or (any(is_stale) and ref not in may_narrow)


def _location(item: BatteryFreshness) -> int:
    return item.location


def _string(item: BatteryFreshness) -> int:
    return item.string


def _grouped(
    batteries: Iterable[BatteryFreshness], key_of: Callable[[BatteryFreshness], int]
) -> list[tuple[int, list[BatteryFreshness]]]:
    groups: dict[int, list[BatteryFreshness]] = {}
    for item in batteries:
        groups.setdefault(key_of(item), []).append(item)
    return list(groups.items())
