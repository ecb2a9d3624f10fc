"""How much the alerts ask of the people who watch them: the figures of EEMUA 191 and ISA-18.2.

What is counted is what was shown to people: incidents. The alerts beside them say how many there would have been
without grouping. Instants are event time, so that a history that was loaded late does not look like a flood.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.incidents.figures_out import (
    ChatteringAlert,
    FrequentAlert,
    HandlingTimes,
    IncidentFigures,
    LoadBand,
    StandingIncident,
)
from battery_contracts.enums import Severity

PERIOD: Final = timedelta(minutes=10)
"""Period of the rate."""
DEFAULT_SPAN: Final = timedelta(days=7)
LONGEST_SPAN: Final = timedelta(days=366)
STANDING_AFTER: Final = timedelta(hours=24)
"""Active for longer than this, an alarm is standing [ISA-18.2, EEMUA 191]."""
FLOOD: Final = 10
"""More than this for an operator within a period are a flood [EEMUA 191]."""
CHATTERING_EPISODES: Final = 3
"""Episodes of one alert from which on it chatters [ISA-18.2: three in a short time]."""
_LISTED: Final = 10
_VISIBLE: Final = "(cast(:visible as text[]) is null or l.code = any(:visible))"
_PERIODS: Final = text(
    f"""
    select floor(extract(epoch from i.opened_at) / 600)::bigint as period, count(*)::int
    from incident i join location l on l.id = i.location_id
    where i.merged_into_id is null and i.alert_count > 0 and i.opened_at >= :start and i.opened_at < :end and {_VISIBLE}
    group by 1
    """  # noqa: S608  # names of the code
)
_ALERTS: Final = text(
    f"""
    select count(*)::int from alert a join location l on l.id = a.location_id
    where a.withdrawn_at is null and a.raised_at >= :start and a.raised_at < :end and {_VISIBLE}
    """  # noqa: S608  # names of the code
)
_TOP: Final = text(
    f"""
    select a.subject, a.type, a.rule_id, sum(a.episode_count)::int as times
    from alert a join location l on l.id = a.location_id
    where a.withdrawn_at is null and a.raised_at >= :start and a.raised_at < :end and {_VISIBLE}
    group by a.subject, a.type, a.rule_id order by times desc, a.subject, a.type limit {_LISTED}
    """  # noqa: S608  # names of the code
)
_EPISODES: Final = text(
    f"""
    select coalesce(sum(a.episode_count), 0)::int from alert a join location l on l.id = a.location_id
    where a.withdrawn_at is null and a.raised_at >= :start and a.raised_at < :end and {_VISIBLE}
    """  # noqa: S608  # names of the code
)
_STANDING: Final = text(
    f"""
    select i.id, i.family, l.code, g.code, i.severity, i.opened_at, i.acknowledged_at, count(*) over ()::int as total
    from incident i join location l on l.id = i.location_id left join string g on g.id = i.string_id
    where i.merged_into_id is null and i.cleared_at is null and i.active_count > 0 and i.opened_at < :standing
      and {_VISIBLE}
    order by i.opened_at, i.id limit {_LISTED}
    """  # noqa: S608  # names of the code
)
_CHATTERING: Final = text(
    f"""
    select a.id, a.subject, a.type, a.episode_count, a.raised_at, a.incident_id, count(*) over ()::int as total
    from alert a join location l on l.id = a.location_id
    where a.withdrawn_at is null and a.raised_at < :end and (a.cleared_at is null or a.cleared_at >= :start)
      and a.episode_count >= {CHATTERING_EPISODES} and {_VISIBLE}
    order by a.episode_count desc, a.id limit {_LISTED}
    """  # noqa: S608  # names of the code
)
_HANDLING: Final = text(
    f"""
    select i.severity, count(*)::int, count(e.at)::int, count(i.cleared_at)::int,
           percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from e.at - i.opened_at)),
           percentile_cont(array[0.5, 0.9]) within group (order by extract(epoch from i.cleared_at - i.opened_at))
    from incident i join location l on l.id = i.location_id
    left join lateral (
        select min(v.at) as at from incident_event v where v.incident_id = i.id and v.kind = 'acknowledged'
    ) e on true
    where i.merged_into_id is null and i.alert_count > 0 and i.opened_at >= :start and i.opened_at < :end and {_VISIBLE}
    group by i.severity
    """  # noqa: S608  # names of the code
)


class FigureSpan(NamedTuple):
    """The instants that figures cover, and for how many operators."""

    start: datetime
    end: datetime
    operators: int


async def figures_of(connection: AsyncConnection, principal: Principal, span: FigureSpan) -> IncidentFigures:
    """Return the figures of a caller's locations over a span."""
    values: dict[str, Any] = {
        "visible": None if principal.location_codes is None else sorted(principal.location_codes),
        "start": span.start,
        "end": span.end,
        "standing": span.end - STANDING_AFTER,
    }
    counts = [row[1] for row in await connection.execute(_PERIODS, values)]
    periods = max(1, round((span.end - span.start) / PERIOD))
    each = [count / span.operators for count in counts]
    alerts = await connection.scalar(_ALERTS, values) or 0
    episodes = await connection.scalar(_EPISODES, values) or 0
    standing = (await connection.execute(_STANDING, values)).all()
    chattering = (await connection.execute(_CHATTERING, values)).all()
    mean = sum(each) / periods
    return IncidentFigures(
        start=span.start,
        end=span.end,
        operators=span.operators,
        incident_count=sum(counts),
        alert_count=alerts,
        grouped_pct=None if not alerts else 100.0 * (1.0 - sum(counts) / alerts),
        mean_per_10min=mean,
        peak_per_10min=max(each, default=0.0),
        flood_pct=100.0 * sum(1 for count in each if count > FLOOD) / periods,
        load=band_of(mean),
        standing_count=standing[0].total if standing else 0,
        standing=[
            StandingIncident(**dict(zip(StandingIncident.model_fields, row[:7], strict=True))) for row in standing
        ],
        chattering_count=chattering[0].total if chattering else 0,
        chattering=[
            ChatteringAlert(**dict(zip(ChatteringAlert.model_fields, row[:6], strict=True))) for row in chattering
        ],
        most_frequent=[
            FrequentAlert(
                subject=row.subject,
                type=row.type,
                rule_id=row.rule_id,
                times=row.times,
                share_pct=100.0 * row.times / episodes,
            )
            for row in await connection.execute(_TOP, values)
        ],
        handling=await _handling(connection, values),
    )


def band_of(mean_per_10min: float) -> LoadBand:
    """Return the band of EEMUA 191 of a mean rate for one operator: up to 1, 2, 5 and 10 within ten minutes."""
    bands: tuple[tuple[float, LoadBand], ...] = (
        (1.0, "acceptable"),
        (2.0, "manageable"),
        (5.0, "demanding"),
        (10.0, "unacceptable"),
    )
    return next((band for limit, band in bands if mean_per_10min <= limit), "intolerable")


async def _handling(connection: AsyncConnection, values: dict[str, Any]) -> list[HandlingTimes]:
    rows = {row[0]: row for row in await connection.execute(_HANDLING, values)}
    times = []
    for severity in sorted(Severity, key=lambda one: one.rank, reverse=True):
        _, count, acknowledged, cleared, to_acknowledge, to_clear = rows.get(
            severity.value, (None, 0, 0, 0, None, None)
        )
        # An incident may be acknowledged before its first reading came late.
        first, last = (None, None) if not to_acknowledge or to_acknowledge[0] is None else to_acknowledge
        early, late = (None, None) if not to_clear or to_clear[0] is None else to_clear
        times.append(
            HandlingTimes(
                severity=severity,
                incident_count=count,
                acknowledged_count=acknowledged,
                cleared_count=cleared,
                acknowledge_p50_s=first,
                acknowledge_p90_s=last,
                clear_p50_s=early,
                clear_p90_s=late,
            )
        )
    return times
