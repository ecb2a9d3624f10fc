from pathlib import Path

import pytest
from identifiers import banned_identifiers, banned_words, is_banned, python_names, typescript_names
from members import ROOT
from structure import counted_lines, find_cycle, import_graph, mutual_pairs, repeated_class_names, sizes_of

WORDS = frozenset({"told", "site", "jar"})


def write(root: Path, **modules: str) -> None:
    for name, text in modules.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_packages_that_import_each_other_are_a_pair_at_any_depth(tmp_path: Path) -> None:
    write(
        tmp_path,
        one__a="from pkg.two.b import x\n",
        one__c="",
        two__b="",
        two__d="from pkg.one import c\n",
        deep__left__m="import pkg.deep.right.n\n",
        deep__right__n="from pkg.deep.left import m\n",
        alone="from pkg.one.a import x\n",
    )
    graph = import_graph(tmp_path, "pkg")
    assert graph["one.a"] == {"two.b"}
    assert mutual_pairs(graph) == [("deep.left", "deep.right"), ("one", "two")]


def test_a_cycle_of_modules_is_found_and_a_diamond_is_none(tmp_path: Path) -> None:
    write(tmp_path, a="import pkg.b\nimport pkg.c\n", b="import pkg.d\n", c="import pkg.d\n", d="")
    assert find_cycle(import_graph(tmp_path, "pkg")) == []
    write(tmp_path, d="from pkg.a import x\n")
    assert {"a", "d"} <= set(find_cycle(import_graph(tmp_path, "pkg")))


def test_only_lines_with_code_or_docstring_count(tmp_path: Path) -> None:
    write(tmp_path, module='"""Text."""\n\n# Comment.\ndef f():\n    # Why.\n    return 1\n')
    assert counted_lines((tmp_path / "module.py").read_text()) == 3
    sizes = sizes_of([tmp_path / "module.py"])
    assert (sizes.files, sizes.functions, sizes.source_lines) == ([6], [3], 3)


def test_a_public_class_name_in_two_modules_is_reported(tmp_path: Path) -> None:
    write(tmp_path, a="class Same: ...\nclass _Own: ...\n", b="class Same: ...\nclass _Own: ...\nclass Other: ...\n")
    assert list(repeated_class_names(sorted(tmp_path.glob("*.py")))) == ["Same"]


@pytest.mark.parametrize(
    ("name", "banned"),
    [
        ("told", True),
        ("wasTold", True),
        ("SITE_NAME", True),
        ("JarArrays", True),
        ("site_readings", False),
        ("site_environment", False),
        ("situation", False),
        ("ajar", False),
    ],
)
def test_words_are_found_in_any_spelling_and_only_as_words(name: str, banned: bool) -> None:
    assert is_banned(name, WORDS) is banned


def test_python_names_are_those_that_a_module_defines(tmp_path: Path) -> None:
    write(tmp_path, module="import told\ndef f(a, *, b):\n    c = told.d\n    e.g = c\nclass H: ...\n")
    assert {name for name, _ in python_names(tmp_path / "module.py")} == {"module", "f", "a", "b", "c", "g", "H"}


def test_typescript_names_are_found_outside_comments(tmp_path: Path) -> None:
    path = tmp_path / "view.tsx"
    path.write_text("const jar = 1; // let told\nexport function render({ site }: Props) {}\n")
    names = {name for name, _ in typescript_names(path)}
    assert {"view", "jar", "render", "site"} <= names
    assert "told" not in names


def test_the_project_uses_none_of_the_words_of_its_nomenclature() -> None:
    words = banned_words(ROOT / "docs" / "nomenclature.md")
    assert {"told", "jar", "site", "place"} <= words
    assert banned_identifiers(ROOT, words) == []
