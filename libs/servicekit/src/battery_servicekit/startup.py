"""A start that explains itself: what is wrong with the settings, a line each, without their values."""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from battery_servicekit.secret_files import SecretFileError

EXIT_CODE = 2
"""Of a start that was refused; supervisors see a failure, and a shell tells it from a crash."""
_WHERE = "Set it in the environment or in .env; .env.example describes each setting."


Settings = TypeVar("Settings", bound=BaseSettings)


def load_settings(kind: type[Settings]) -> Settings:
    """Return the settings, or end the process with a line for each that is wrong and its remedy."""
    try:
        return kind()
    except ValidationError as error:
        problems = error.errors(include_input=False, include_context=False)
        refuse_start(*(line for problem in problems for line in _lines_of(problem["loc"], problem["msg"])))
    except SettingsError as error:
        # The only values that are parsed before validation are JSON; the message names the field, in lower case.
        names = [name for name in kind.model_fields if f'"{name}"' in str(error)]
        example = next((kind.model_fields[name].examples for name in names if kind.model_fields[name].examples), None)
        shown = json.dumps(example[0] if example else ["https://a.example"])
        refuse_start(f"{', '.join(names).upper() or 'A setting'} must be JSON, such as {shown}. {_WHERE}")
    except SecretFileError as error:
        refuse_start(f"{error}.")


def refuse_start(*lines: str) -> NoReturn:
    """Print why the process does not start and end it."""
    for line in lines:
        sys.stderr.write(f"Not started: {line}\n")
    sys.stderr.flush()
    raise SystemExit(EXIT_CODE)


def require_writable(folder: Path, variable: str) -> None:
    """Create a folder, or end the process and say whom it belongs to if this user cannot write there."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        refuse_start(f"{variable}: {folder} cannot be written ({error.strerror}). {_owner_of(folder)}")


def _owner_of(folder: Path) -> str:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    owner = existing.stat()
    return (
        f"{existing} belongs to user {owner.st_uid} and this process runs as user {os.geteuid()}: "
        f"give it to that user (chown -R {os.geteuid()} {existing}), or name another folder."
    )


def _lines_of(location: tuple[int | str, ...], message: str) -> list[str]:
    text = message.removeprefix("Value error, ").rstrip(".")
    name = ".".join(str(part) for part in location).upper()
    # Checks of several settings at once have no location and name the variables themselves.
    return [f"{name}: {text}. {_WHERE}"] if name else [f"{line}." for line in text.splitlines()]
