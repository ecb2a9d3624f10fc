"""Options of ``battery send`` as values: instants, zones, and which of them the file needs."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.run_files import Recording
from battery_api.telemetry.ingest.times import buddhist_era_fault


def zone_of(name: str | None) -> tzinfo | None:
    """Return a zone by its name, like Asia/Bangkok.

    Raises
    ------
    RecordingRefused
        There is no such zone.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RecordingRefused(f"--zone {name} is no zone that is known; write Asia/Bangkok or UTC.") from error


def battery_of(recording: Recording, battery_id: str | None) -> str | None:
    """Return the battery of every row, None if the file names them.

    Raises
    ------
    RecordingRefused
        Neither or both of the option and the file name a battery.
    """
    if recording.battery_ids and battery_id is not None:
        raise RecordingRefused("the file has a column battery_id; leave --battery-id out, or add --ignore battery_id.")
    if not recording.battery_ids and battery_id is None:
        raise RecordingRefused("--battery-id is missing, and the file has no column battery_id; give the battery.")
    return battery_id


def start_of(recording: Recording, text: str | None) -> datetime | None:
    """Return the instant of ``time_s`` = 0, None for a replay at the present time.

    Raises
    ------
    RecordingRefused
        The option is missing for durations, given for instants, or no instant.
    """
    if recording.origin is not None:
        if text is not None:
            raise RecordingRefused("--start is for time_s; the file has instants. Leave --start out.")
        return recording.origin
    if text is None:
        raise RecordingRefused(
            "--start is missing; the file has durations: give the instant of time_s = 0, or now to replay the run live."
        )
    start = _instant(text)
    try:
        for time_s in (min(recording.time_s), max(recording.time_s)):
            (start or datetime.now(UTC)) + timedelta(seconds=time_s)
    except OverflowError as error:
        raise RecordingRefused(
            "--start and time_s together are no instant of the calendar; correct --start."
        ) from error
    return start


def _instant(text: str) -> datetime | None:
    if text == "now":
        return None
    other_era = buddhist_era_fault(text)
    if other_era is not None:
        raise RecordingRefused(f"--start {other_era}.")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordingRefused(f"--start {text} is neither ISO 8601 (2026-01-31T08:00:00+07:00) nor now.") from error
    if instant.tzinfo is None:
        raise RecordingRefused(f"--start {text} has no time zone; write {text}+07:00 or {text}Z.")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise RecordingRefused(f"--start {text} is no instant of the calendar in UTC.") from error
