"""Files and folders, the digest, and what people and programs are shown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.desired import fingerprint, load, problems_as_data, render
from reconciler.errors import ConfigError
from reconciler.kinds import BY_NAME
from reconciler.model.config import Config
from reconciler.model.place import Place, Problem

from .support import EXAMPLES, HEAD, SCHEMA, problems


def loaded(path: Path) -> Config:
    return load(path, kinds=BY_NAME, schema=SCHEMA, variables={}, environment={})


def refused(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(path)
    return caught.value.problems


@pytest.mark.parametrize("name", ["ai-global.yaml", "two-regions.yaml"])
def test_the_examples_load(name: str) -> None:
    found = loaded(EXAMPLES / name)
    assert found.files == (str(EXAMPLES / name),)
    assert found.digest == fingerprint(EXAMPLES / name)


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("resources:\n  vpc/b:\n")
    (tmp_path / "B.yaml").write_text(f"{HEAD}resources:\n  vpc/a:\n")
    (tmp_path / ".hidden.yaml").write_text("{{{")
    (tmp_path / "README.md").write_text("{{{")
    found = loaded(tmp_path)
    assert [str(address) for address in found.resources] == ["vpc/a", "vpc/b"]
    assert [Path(name).name for name in found.files] == ["B.yaml", "b.yaml"]
    before = fingerprint(tmp_path)
    assert before == found.digest
    (tmp_path / "b.yaml").rename(tmp_path / "c.yaml")
    assert fingerprint(tmp_path) != before


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert "this folder has no *.yaml" in str(refused(tmp_path)[0])
    assert "cannot be read: No such file or directory" in str(refused(tmp_path / "none.yaml")[0])
    assert "cannot be read" in str(refused(tmp_path / "a\0b")[0])
    (tmp_path / "a.yaml").write_text(f"{HEAD}resources: {{}}")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "nowhere")
    assert [problem.place.file for problem in refused(tmp_path)] == [str(tmp_path / "b.yaml")]
    with pytest.raises(ConfigError):
        fingerprint(tmp_path)


@pytest.mark.parametrize("name", ["more.yml", "B.YAML", "c.Yml"])
def test_a_name_that_is_almost_right_is_not_overlooked(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(f"{HEAD}resources: {{}}")
    (tmp_path / name).write_text("resources: {vpc/a: {}}")
    assert [str(one) for one in refused(tmp_path)] == [
        f"{tmp_path}/{name}: is not read, for its name (rename it to .yaml)"
    ]


@pytest.mark.parametrize("sort", ["pipe", "loop", "folder", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, sort: str) -> None:
    """Alone, and in a folder beside good ones; a pipe that nobody writes to is not waited for."""
    (tmp_path / "a.yaml").write_text(f"{HEAD}resources: {{vpc/a: {{Foo: x}}}}")
    odd = tmp_path / "b.yaml"
    match sort:
        case "pipe":
            os.mkfifo(odd)
        case "loop":
            odd.symlink_to(odd)
        case "folder":
            odd.mkdir()
        case _:
            odd.symlink_to("/dev/zero")
    assert [(one.place.file, one.what.partition(":")[0]) for one in refused(tmp_path)] == [
        (str(tmp_path / "a.yaml"), "there is no such field"),
        (str(odd), "cannot be read"),
    ]
    what = "this folder has no *.yaml in it" if sort == "folder" else "cannot be read"
    assert [one.what.partition(":")[0] for one in refused(odd)] == [what]


def test_an_empty_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# nothing yet\n")
    assert [str(problem) for problem in refused(tmp_path / "a.yaml")] == [
        f"{tmp_path}/a.yaml: is empty: no stack, no account, no resources (was the file cut short?)"
    ]


FOUND = (
    Problem(Place("a.yaml", 2, 3), "site/one.Foo", "there is no such field", "did you mean Bar?"),
    Problem(Place("gone.yaml", 7, 1), "", "broken"),
    Problem(Place("config"), "stack", "is required"),
)


def test_render() -> None:
    texts = {"a.yaml": "one\n\t é: x\n"}
    assert render(FOUND, carets=False, read=texts.__getitem__).splitlines() == [
        "a.yaml:2:3: site/one.Foo: there is no such field (did you mean Bar?)",
        "gone.yaml:7:1: broken",
        "config: stack: is required",
    ]
    assert render(FOUND, carets=True, read=texts.__getitem__).splitlines() == [
        "a.yaml:2:3: site/one.Foo: there is no such field (did you mean Bar?)",
        "    \t é: x",
        "    \t ^",
        "gone.yaml:7:1: broken",
        "config: stack: is required",
    ]


def test_a_message_keeps_the_terminal_whole() -> None:
    text = f'{HEAD}resources: {{"vpc/\\e[2J": {{}}, vpc/a: {{"\\e[31m": x, region: "\\e"}}}}\n'
    found = "\n".join(map(str, problems(text)))
    assert found.count("x1b") == 3
    assert "\x1b" not in found


def test_render_keeps_the_terminal_whole() -> None:
    line = "x" * 300 + "\x1b[31m" + "y" * 5000
    shown = render([Problem(Place("a", 1, 301), "", "odd")], carets=True, read=lambda _: line).splitlines()
    assert "\x1b" not in shown[1]
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^")] == "\ufffd"


def test_problems_as_data() -> None:
    data = json.loads(json.dumps(problems_as_data(FOUND)))
    assert data[0] == {
        "file": "a.yaml",
        "line": 2,
        "column": 3,
        "path": "site/one.Foo",
        "what": "there is no such field",
        "hint": "did you mean Bar?",
    }
    assert (data[2]["line"], data[2]["column"]) == (0, 0)
