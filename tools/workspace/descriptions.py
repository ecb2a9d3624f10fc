"""Write the OpenAPI description of every service into a folder; run it in the environment that has all services."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from battery_api.app.main import create_app as create_gateway
from battery_api.app.openapi import describe
from battery_ml.api.app import create_app as create_ml
from battery_sim.api.app import create_app as create_simulator
from battery_twin.api.app import create_app as create_twin


def main(folder: Path) -> None:
    """Write one file per service."""
    descriptions = {
        "gateway": describe(create_gateway()),
        "ml": create_ml().openapi(),
        "simulator": create_simulator().openapi(),
        "twin": create_twin().openapi(),
    }
    for name, description in descriptions.items():
        if missing := _dangling(description):
            raise SystemExit(f"{name}: the description has references without a target: {', '.join(missing)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, description in descriptions.items():
        (folder / f"{name}.json").write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n")


def _dangling(description: dict[str, Any]) -> list[str]:
    """Return the references of a description that have no target."""
    text = json.dumps(description)
    held = {
        f"#/components/{kind}/{name}" for kind, named in description.get("components", {}).items() for name in named
    }
    return sorted(set(re.findall(r'"\$ref": "([^"]+)"', text)) - held)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
