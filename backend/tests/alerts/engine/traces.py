"""Random histories of many subjects, for the comparison of the engine with its reference."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from battery_api.alerts.engine.ladders import Direction, Gate, Limits, Rule, SubjectKind
from battery_api.alerts.engine.rules import RULES_OF
from battery_api.alerts.limits import SCOPES_OF, Override, OverrideScope
from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry
from battery_contracts.enums import AlertType, SystemKind

from .reference import COMMISSIONING_US, Reading

Entry = BatteryEntry | StringEntry | LocationEntry
EPOCH_US = 1_700_000_000_000_000
BATCHES = 5
SCALES_S = (20, 60, 600, 7200)
"""Usual steps between two readings of a trace: the holds of the rules reach from seconds to a day."""
STEPS = (0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 2.0, 3.3, 5.0, 5.001, 9.0, 60.0)
"""Steps in units of the usual one; what is longer than five is a gap."""


@dataclass(frozen=True)
class Trace:
    """Readings of one subject, of the signals of one type, cut into batches."""

    entry: Entry
    type: AlertType
    installed_us: int
    batches: Sequence[Sequence[Reading]]
    resolves_us: Sequence[int | None]
    """By batch, when a person resolves the alert that is open before it; None if nobody does."""

    @property
    def rules(self) -> list[Rule]:
        """The rules of its type."""
        return [rule for rules in RULES_OF.values() for rule in rules if rule.type is self.type]


def entry_of(kind: SubjectKind, number: int) -> Entry:
    """Return a subject that shares its string, location and model with others."""
    string, location = f"S{number // 4}", f"L{number // 40}"
    if kind is SubjectKind.LOCATION:
        return LocationEntry(number, f"L{number}", "")
    if kind is SubjectKind.STRING:
        return StringEntry(number, f"S{number}", 0, "", SystemKind.UPS, 0, location, ())
    installed = datetime(2020, 1, 1, tzinfo=UTC)
    rated = (6, 120.0, 13.5, 13.8, -0.02, 3.5, 3.5, 25.0)
    return BatteryEntry(number, f"B{number}", 1, 0, string, "", 0, location, f"M{number % 2}", installed, *rated)


def random_overrides(rng: random.Random, kind: SubjectKind, entries: Sequence[Entry]) -> list[Override]:
    """Return overrides of values and switches at every scope, as people might leave them."""
    found = {}
    for _ in range(len(entries)):
        rule, scope = rng.choice(RULES_OF[kind]), rng.choice(sorted(SCOPES_OF[kind]))
        scope_id = dict(names_of(rng.choice(entries)))[scope]
        width = abs(rule.raise_value) * 0.1 + 0.1
        raise_value = rng.choice([None, rule.raise_value + rng.uniform(-1, 1) * width])
        clear_value = None
        if raise_value is not None and rng.random() < 0.5:
            away = rng.choice([0.0, width])
            clear_value = raise_value - away if rule.direction is Direction.ABOVE else raise_value + away
        found[rule.rule_id, scope, scope_id] = Override(
            rule.rule_id,
            scope,
            scope_id,
            raise_value,
            clear_value,
            rng.choice([None, 0.0, 45.0, 120.0, 600.0]) if rule.has_hold else None,
            rng.choice([None, 0.0, 60.0, 300.0]) if rule.has_hold else None,
            rng.choice([None, None, None, True, False]),
        )
    return list(found.values())


def names_of(entry: Entry) -> list[tuple[OverrideScope, str]]:
    """Return what a subject is and belongs to, nearest first."""
    if isinstance(entry, LocationEntry):
        return [(OverrideScope.LOCATION, entry.code)]
    location = (OverrideScope.LOCATION, entry.location_code)
    if isinstance(entry, StringEntry):
        return [(OverrideScope.STRING, entry.code), location]
    string, model = (OverrideScope.STRING, entry.string_code), (OverrideScope.MODEL, entry.model_code)
    return [(OverrideScope.BATTERY, entry.code), string, location, model]


def limits_in_force(rule: Rule, entry: Entry, overrides: Sequence[Override]) -> Limits:
    """Return the limits of one subject: each value from the nearest scope that sets it, the band from one scope."""
    applying = [
        one
        for name in names_of(entry)
        for one in overrides
        if one.rule_id == rule.rule_id and (one.scope, one.scope_id) == name
    ]
    found = rule.limits()
    for one in reversed(applying):  # the nearest comes last and stays
        if one.hold_s is not None:
            found = replace(found, hold_us=int(one.hold_s * 1e6))
        if one.clear_hold_s is not None:
            found = replace(found, clear_hold_us=int(one.clear_hold_s * 1e6))
        if one.enabled is not None:
            found = replace(found, enabled=one.enabled)
        if one.raise_value is not None:
            usual = one.raise_value - (rule.raise_value - rule.clear_value)
            clear_value = usual if one.clear_value is None else one.clear_value
            found = replace(found, raise_value=one.raise_value, clear_value=clear_value)
    return found


def random_trace(
    rng: random.Random, entry: Entry, rules: Sequence[Rule], in_force: Sequence[Mapping[str, Limits]]
) -> Trace:
    """Return 5 to 40 readings whose values and gates persist for a while; ``in_force`` are the limits by batch."""
    scale_us = rng.choice(SCALES_S) * 1_000_000
    levels = {rule.signal: [math.nan] for rule in rules}
    for rule in rules:
        low, high = sorted((in_force[0][rule.rule_id].raise_value, in_force[0][rule.rule_id].clear_value))
        away = 0.2 * (high - low) + 0.05
        levels[rule.signal] += [low - away, low, (low + high) / 2, high, high + away]
    values = {signal: rng.choice(choices) for signal, choices in levels.items()}
    gates = dict.fromkeys(Gate, True) | {rng.choice(list(Gate)): False}
    at_us, at_once = EPOCH_US, rng.choice([0.1, 0.3, 0.6])
    batches: list[list[Reading]] = []
    resolves_us: list[int | None] = []
    cuts = sorted(rng.random() for _ in range(BATCHES - 1))
    count = rng.randint(5, 40)
    for number in range(count):
        while len(batches) <= sum(cut <= number / count for cut in cuts):
            batches.append([])
            resolves_us.append(at_us + rng.randint(-scale_us, 2 * scale_us) if rng.random() < 0.3 else None)
        at_us += round(rng.choice(STEPS) * scale_us / 1000) * 1000
        for signal, choices in levels.items():
            if rng.random() < at_once:
                values[signal] = rng.choice(choices)
        gates = {gate: is_open ^ (rng.random() < 0.1) for gate, is_open in gates.items()} | {Gate.ALWAYS: True}
        max_gap_us = scale_us * rng.choice([5, 5, 5, 2])
        limits = in_force[len(batches) - 1]
        batches[-1].append(Reading(at_us, max_gap_us, dict(values), gates, limits))
    batches += [[] for _ in range(BATCHES - len(batches))]
    resolves_us += [None] * (BATCHES - len(resolves_us))
    installed_us = rng.choice([0, EPOCH_US - COMMISSIONING_US + 10 * scale_us])
    return Trace(entry, rules[0].type, installed_us, batches, resolves_us)
