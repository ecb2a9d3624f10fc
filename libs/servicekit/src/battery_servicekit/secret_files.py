"""Secrets from files: a secret setting ``NAME`` may be given as ``NAME_FILE``, the path of a file that holds it.

Containers mount secrets as files; a variable would show in their description and in every child's environment.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, PydanticBaseSettingsSource

_MAX_BYTES = 64 * 1024


class SecretFileError(ValueError):
    """A secret's file cannot be used; the message names the variable, never the secret."""


class SecretFileSource(PydanticBaseSettingsSource):
    """Reads ``NAME_FILE`` of every secret setting, from the environment or from ``.env``.

    Raises
    ------
    SecretFileError
        A file is missing, unreadable, empty or not text, or both ``NAME`` and ``NAME_FILE`` are set.
    """

    def __init__(
        self, settings: type[BaseSettings], env: PydanticBaseSettingsSource, dotenv: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings)
        variables = {**_variables_of(dotenv), **_variables_of(env)}
        self._variables = {name: value for name, value in variables.items() if value}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of the field's file, None where there is none."""
        variable = f"{field_name}_file"
        path = self._variables.get(variable)
        if path is None or not is_secret(field):
            return None, field_name, False
        if self._variables.get(field_name):
            raise SecretFileError(f"{field_name.upper()} and {variable.upper()} are both set; keep one of them")
        return read_secret(variable.upper(), Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings that are given by files."""
        fields = self.settings_cls.model_fields.items()
        values = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in values.items() if value is not None}


def is_secret(field: FieldInfo) -> bool:
    """Return whether a setting is secret, optional or not."""
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def read_secret(variable: str, path: Path) -> str:
    """Return the text of a secret's file without the line end that editors add.

    Raises
    ------
    SecretFileError
        The file cannot be used; the message names ``variable`` and the path.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        raise SecretFileError(f"{variable} names {path}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretFileError(f"{variable} names {path}, which is not text in UTF-8") from error
    if not text or len(content) > _MAX_BYTES or "\n" in text or "\x00" in text:
        raise SecretFileError(f"{variable} names {path}, which must hold the secret and nothing else, on one line")
    return text


def _variables_of(source: PydanticBaseSettingsSource) -> Mapping[str, str | None]:
    assert isinstance(source, EnvSettingsSource | DotEnvSettingsSource)
    return source.env_vars
