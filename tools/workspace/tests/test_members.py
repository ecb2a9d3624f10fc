from pathlib import Path

import members
import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import Member, closure, load_members


def member(name: str, *needs: str) -> Member:
    return Member(name, Path(name), is_package=True, needs=needs)


def names(*parts: Member, start: str) -> list[str]:
    return [part.name for part in closure(next(p for p in parts if p.name == start), {p.name: p for p in parts})]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("httpx", "httpx"),
        ("httpx>=0.28", "httpx"),
        ("httpx ==0.28", "httpx"),
        ("httpx~=0.28,!=0.28.3", "httpx"),
        ("uvicorn[standard]>=0.35", "uvicorn"),
        ("uvicorn [standard]", "uvicorn"),
        ("battery-servicekit[testing]", "battery-servicekit"),
        ("name@https://example.org/name.whl", "name"),
        ("name @ file:///tmp/name.whl", "name"),
        ("tomli; python_version < '3.11'", "tomli"),
        ("tomli;python_version<'3.11'", "tomli"),
        ("legacy (>=1.0)", "legacy"),
        ("  spaced  ", "spaced"),
        ("A", "a"),
        ("Zope.Interface>5", "zope-interface"),
        ("battery_Contracts", "battery-contracts"),
        ("a--b__c..d", "a-b-c-d"),
        ("x9.1<2", "x9-1"),
    ],
)
def test_the_name_of_a_requirement(requirement: str, name: str) -> None:
    assert members._requirement_name(requirement) == name


@pytest.mark.parametrize("text", ["", " ", "-name", ".name", "[extra]", ">=1.0", "name-", "name_ >=1", "na me", "näme"])
def test_what_is_no_requirement_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is not a requirement"):
        members._requirement_name(text)


ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
words = st.text(ALPHANUMERIC, min_size=1, max_size=8)


@given(
    parts=st.lists(words, min_size=1, max_size=4),
    separator=st.sampled_from(["-", "_", ".", "-_."]),
    rest=st.sampled_from(
        ["", "[a,b]", ">=1", " <2", "==1.*", ";python_version>'3'", " @ file:///x", "[a]~=1; x", "!=2"]
    ),
)
def test_any_name_of_the_grammar_is_read_whatever_follows(parts: list[str], separator: str, rest: str) -> None:
    assert members._requirement_name(separator.join(parts) + rest) == "-".join(parts).lower()


def test_dependencies_come_first_and_once() -> None:
    parts = (member("d", "b", "c"), member("b", "a"), member("c", "a", "b"), member("a"), member("unrelated"))
    assert names(*parts, start="d") == ["a", "b", "c", "d"]
    assert names(*parts, start="a") == ["a"]


def test_label_and_module_follow_from_the_name() -> None:
    part = member("battery-system-tests")
    assert (part.label, part.module) == ("system-tests", "battery_system_tests")


def test_members_are_read_from_their_pyproject_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["one", "two"]\n')
    for name, text in {
        "one": '[project]\nname = "battery-one"\ndependencies = ["httpx>=1", "battery_two[x]>=0.1"]\n',
        "two": '[project]\nname = "battery-two"\n[dependency-groups]\ndev = ["battery-three", "pytest"]\n'
        "[tool.uv]\npackage = false\n",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
    monkeypatch.setattr(members, "ROOT", tmp_path)
    loaded = load_members()
    assert list(loaded) == ["battery-one", "battery-two"]
    assert (loaded["battery-one"].needs, loaded["battery-one"].is_package) == (("battery-two",), True)
    assert (loaded["battery-two"].needs, loaded["battery-two"].is_package) == (("battery-three",), False)


def test_every_member_of_this_repository_can_be_resolved() -> None:
    loaded = load_members()
    assert "battery-contracts" in loaded
    for part in loaded.values():
        assert closure(part, loaded)[-1] is part
        assert (part.folder / "pyproject.toml").is_file()
