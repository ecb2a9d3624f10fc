"""Checks of the files that configure services on Railway.

The schema that Railway publishes is a web page, not a package; the fields are those of its reference, "Config as Code"
(docs.railway.com/config-as-code/reference), as far as these files use them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployment import copied_paths

_FIELDS: Mapping[str, Mapping[str, type]] = {
    "build": {"builder": str, "dockerfilePath": str, "watchPatterns": list},
    "deploy": {
        "preDeployCommand": list,
        "startCommand": str,
        "healthcheckPath": str,
        "healthcheckTimeout": int,
        "restartPolicyType": str,
        "restartPolicyMaxRetries": int,
        "overlapSeconds": int,
        "drainingSeconds": int,
    },
}
_VALUES = {
    "builder": {"DOCKERFILE"},
    "restartPolicyType": {"ON_FAILURE", "ALWAYS", "NEVER"},
}
_NEEDED = ("builder", "dockerfilePath", "watchPatterns", "healthcheckPath", "restartPolicyType")


def railway_faults(settings: Mapping[str, Any], root: Path) -> list[str]:
    """Return what is wrong with one file: fields, values, and files that its image needs and nothing watches."""
    wrong = [f"{section} is not a section" for section in settings if section not in _FIELDS]
    found: dict[str, Any] = {}
    for section, fields in _FIELDS.items():
        for name, value in settings.get(section, {}).items():
            found[name] = value
            if name not in fields:
                wrong.append(f"{section}.{name} is not a field")
            elif not isinstance(value, fields[name]):
                wrong.append(f"{section}.{name} must be of type {fields[name].__name__}")
            elif name in _VALUES and value not in _VALUES[name]:
                wrong.append(f"{section}.{name} must be one of {', '.join(sorted(_VALUES[name]))}")
    wrong += [f"{name} is missing" for name in _NEEDED if name not in found]
    if wrong:
        return wrong
    dockerfile = root / found["dockerfilePath"]
    if not dockerfile.is_file():
        return [f"build.dockerfilePath {found['dockerfilePath']} does not exist"]
    watched = [_expression(pattern) for pattern in found["watchPatterns"]]
    wrong += [
        f"build.watchPatterns: {pattern} matches nothing"
        for pattern in found["watchPatterns"]
        if not (root / pattern.strip("/").removesuffix("**")).exists()
    ]
    needed = [found["dockerfilePath"], *copied_paths(dockerfile.read_text())]
    return wrong + [
        f"build.watchPatterns: no pattern matches {path}"
        for path in needed
        if not any(pattern.match(path) for pattern in watched)
    ]


def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern.strip("/")).replace(r"\*\*", ".*").replace(r"\*", "[^/]*"))
