"""The members of the workspace, read from their pyproject files."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Member:
    """One Python member."""

    name: str
    folder: Path
    is_package: bool
    needs: tuple[str, ...]

    @property
    def label(self) -> str:
        """Short name for folders, files and headings."""
        return self.name.removeprefix("battery-")

    @property
    def module(self) -> str:
        """Name of the import package."""
        return self.name.replace("-", "_")


def load_members() -> dict[str, Member]:
    """Return every member by its name."""
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    found = (_load(ROOT / folder) for folder in folders)
    return {member.name: member for member in found}


def closure(member: Member, members: dict[str, Member]) -> list[Member]:
    """Return the member's workspace dependencies and itself, dependencies first."""
    ordered: dict[str, Member] = {}

    def visit(current: Member) -> None:
        if current.name in ordered:
            return
        for name in current.needs:
            visit(members[name])
        ordered[current.name] = current

    visit(member)
    return list(ordered.values())


def _load(folder: Path) -> Member:
    data = tomllib.loads((folder / "pyproject.toml").read_text())
    project = data["project"]
    wanted = [*project.get("dependencies", []), *data.get("dependency-groups", {}).get("dev", [])]
    names = {_bare_name(requirement) for requirement in wanted}
    needs = tuple(sorted(name for name in names if name.startswith("battery-")))
    return Member(project["name"], folder, data.get("tool", {}).get("uv", {}).get("package", True), needs)


def _bare_name(requirement: str) -> str:
    for position, character in enumerate(requirement):
        if character not in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.":
            return requirement[:position]
    return requirement
