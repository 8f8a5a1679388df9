"""Accidents that happen to configs: nothing is deleted beyond the budget, and it is said what to do.

Estates stand; their configs, as real files with the limits that count by default, are cut, lost, mixed up and renamed.
What would come of that is concluded from one look; a part of it is done for real.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.daemon.reload import checked
from reconciler.desired import load
from reconciler.errors import ConfigError, GuardError, IdentityError, ReconcilerError
from reconciler.kinds import BY_NAME
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.plan import Plan
from reconciler.model.things import World
from reconciler.model.verdicts import Blocked, Settled, Steps, Wait
from tests import documents
from tests.conformance.fixture import ONE_OF_EACH
from tests.faults.estate import SELDOM, estate
from tests.faults.folders import in_place, split
from tests.harness import HEAD, SCHEMA, Host, host
from tests.passes.estates import AI_GLOBAL, TWO_REGIONS

pytestmark = pytest.mark.xdist_group("accidents")  # one worker: what they share is dear to make

KINDS = HEAD.replace("stack: test", "stack: kinds") + estate(kinds=ONE_OF_EACH)
ESTATES = {"ai-global": AI_GLOBAL, "two-regions": TWO_REGIONS, "kinds": KINDS}
PLACE = re.compile(r"[^\s:]+\.yaml:\d+:\d+: ")
"""How a problem begins that an editor can jump to."""


def read(path: Path) -> Config:
    """A config as the program reads it."""
    return load(path, kinds=BY_NAME, schema=SCHEMA, variables={}, environment={})


@dataclass
class Standing:
    """An estate that is settled: its config, and what a look shows of it."""

    ops: Host
    config: Config
    world: World

    def loop(self, config: Config) -> Loop:
        """A process that has this config, and no options."""
        loop = self.ops.loop("resources: {}")
        loop.config = config
        return loop

    def result(self, path: Path) -> tuple[str, str, Plan | None]:
        """What comes of a config: it is "refused" or "stopped", and why, or its plan is "allowed".

        Whatever it is, no more is deleted or replaced than the limits allow, and the daemon fares no worse.
        """
        try:
            config = read(path)
        except ConfigError as error:
            with pytest.raises(ConfigError):  # a reload is refused, the config in use stays
                checked(lambda: read(path), self.config)
            return "refused", "\n".join(map(str, error.problems)), None
        loop = self.loop(config)
        planner = loop.planner(replace(self.world, stack=config.stack))
        plan = planner.plan()
        if stop := loop.guard(planner, plan):
            return "stopped", stop.why, plan
        owned = len(planner.world.owned)
        assert len(doomed(plan)) <= min(5, max(1, math.ceil(owned / 5)))
        return "allowed", "", plan


def doomed(plan: Plan) -> list[str]:
    """What would be deleted or replaced, now or in its turn, by the signs of the plan alone."""
    return [
        entry.label
        for entry in plan.entries
        if (isinstance(entry.verdict, Steps) and entry.verdict.verb in {"delete", "replace"})
        or (not entry.wanted and isinstance(entry.verdict, Steps | Wait))
    ]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Standing]]:
    with host(
        tmp_path_factory.mktemp("standing"),
        SELDOM,
        asks_everywhere=True,
        page_size=50,
        quotas={"GlobalNetwork": 100},
    ) as ops:
        found: dict[str, Standing] = {}
        for name, text in ESTATES.items():
            assert ops.run(text).outcome == "settled"
            file = tmp_path_factory.mktemp(name) / "estate.yaml"
            file.write_text(text)
            found[name] = Standing(ops, read(file), ops.loop(text).look())
            assert found[name].result(file)[0] == "allowed"
        yield found


@pytest.fixture(params=ESTATES)
def there(request: pytest.FixtureRequest, standing: Mapping[str, Standing]) -> tuple[Standing, str]:
    """Each estate, with its config as a text."""
    return standing[request.param], ESTATES[request.param]


def of(standing: Standing, path: Path, data: str | bytes) -> tuple[str, str, Plan | None]:
    """What comes of a config that holds this."""
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return standing.result(path)


# ---- one file


def test_cut_at_every_line_and_within_lines(there: tuple[Standing, str], tmp_path: Path) -> None:
    """As by a full disk, or by an editor that was killed.  A long config at some hundred lines of it."""
    standing, text = there
    lines = text.splitlines(keepends=True)
    cuts = ["".join(lines[:count]) for count in range(len(lines))]
    step = 1 + len(lines) // 100
    cuts += [before + line[: len(line) // 2] for before, line in list(zip(cuts, lines, strict=True))[::3]]
    results = [of(standing, tmp_path / "estate.yaml", cut) for cut in cuts[::-step]]  # the last, too
    assert {result for result, _, _ in results} == {"refused", "stopped", "allowed"}
    for result, why, _ in results:
        if result == "refused":
            assert PLACE.search(why) or "was the file cut short?" in why or "is required" in why, why
        elif result == "stopped":
            assert "`reconciler approve " in why
            assert "was it cut short, or is a file missing?" in why or "`limits: " in why


@pytest.mark.parametrize("text", ["", "\n \n", "---\n", "# nothing\n", "\ufeff"])
def test_empty(standing: Mapping[str, Standing], tmp_path: Path, text: str) -> None:
    result, why, _ = of(standing["kinds"], tmp_path / "estate.yaml", text)
    assert (result, "was the file cut short?" in why) == ("refused", True)


def broken(text: str) -> dict[str, tuple[str | bytes, str, str]]:
    """A config in which something went wrong, by what it is: what comes of it, and what is said."""
    lines = text.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("resources:"))
    conflict = [
        *lines[: at + 2],
        "<<<<<<< HEAD\n",
        lines[at + 2],
        "=======\n",
        lines[at + 2],
        ">>>>>>> other\n",
    ]
    half = "".join(conflict + lines[at + 3 :])
    return {
        "conflict": (half, "refused", "a merge conflict stands in the file (keep one side"),
        "tabs": (text.replace("\n  ", "\n\t"), "refused", "tab"),
        "no resources": (HEAD.replace("test", "kinds"), "refused", "a config without resources says so"),
        "null resources": ("".join(lines[: at + 1]), "refused", "was the file cut short?"),
        "none": (f"{''.join(lines[:at])}resources: {{}}\n", "stopped", "say --allow-empty"),
        "anchor": (f"{text}\noutputs: {{x: *lost}}\n", "refused", "this alias has no anchor"),
        "not UTF-8": (text.replace("one", "\xfc").encode("latin-1"), "refused", "save it as UTF-8"),
        "NUL": (text.replace("one", "\0", 1), "refused", "U+0000 cannot stand in YAML"),
        "twice": (text + text[text.index("resources:") :], "refused", "stands twice"),
    }


@pytest.mark.parametrize("name", broken(KINDS))
def test_broken(standing: Mapping[str, Standing], tmp_path: Path, name: str) -> None:
    data, expected, words = broken(KINDS)[name]
    result, why, _ = of(standing["kinds"], tmp_path / "estate.yaml", data)
    assert (result, why) == (expected, why)
    assert words in why, why
    assert expected != "refused" or "no resources" in name or PLACE.match(why), why


def test_what_only_looks_different_is_the_same(there: tuple[Standing, str], tmp_path: Path) -> None:
    standing, text = there
    for data in (
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("\n", "\r\n").encode(),
        f"---\n{text}".encode(),
    ):
        result, _, plan = of(standing, tmp_path / "estate.yaml", data)
        assert (result, plan and plan.settled) == ("allowed", True), data[:20]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[us-west-2, eu-central-1], n: [1, 2]", "[us-west-2, eu-central-1], n: []", "this list is empty"),
        ("for: {region: [us-west-2, eu-central-1]}", "for: {}", "names no list"),
        ("machine: {default: t3.medium}", "machine: {}", "--var machine=…"),
        (
            "variables:\n  machine: {default: t3.medium}",
            "variables: {}",
            "no variable is called 'machine' (declare it",
        ),
        ("region: [us-west-2, eu-central-1]", "region: [us-west-2]", "which is nowhere in the config"),
    ],
)
def test_lists_and_variables_that_are_lost(
    standing: Mapping[str, Standing], tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in TWO_REGIONS
    result, why, _ = of(standing["two-regions"], tmp_path / "estate.yaml", TWO_REGIONS.replace(before, after))
    assert (result, words in why) == ("refused", True), why


# ---- a folder of files


FILES = split(KINDS)
ACCIDENTS = ("missing", "half", "empty", "folder", "dangling", "renamed")


@pytest.mark.parametrize("what", ACCIDENTS)
def test_one_file_of_a_folder(standing: Mapping[str, Standing], tmp_path: Path, what: str) -> None:
    """Any of them may be missing or cut; the other accidents, which are told before the file is read, are dealt out."""
    results: dict[str, tuple[str, str]] = {}
    head, *rest = FILES
    of_all = ACCIDENTS.index(what)
    for lost in (head, *(rest if of_all < 2 else rest[of_all :: len(ACCIDENTS)])):
        folder = tmp_path / lost
        folder.mkdir()
        for name, text in FILES.items():
            (folder / name).write_text(text)
        in_place(folder, lost, what)
        result, why, _ = standing["kinds"].result(folder)
        results[lost] = (result, why)
    if what not in {"missing", "half"}:
        assert {result for result, _ in results.values()} == {"refused"}
        assert all(Path(lost).stem in why for lost, (_, why) in results.items())
        mend = {"empty": "was it cut short? remove it", "renamed": "rename it to .yaml"}.get(
            what, "cannot be read: "
        )
        assert all(mend in why for _, why in results.values()), results
    assert results["00-stack.yaml"][0] == "refused"


def test_what_hides_in_a_dot_or_a_swap_of_names_changes_nothing(
    standing: Mapping[str, Standing], tmp_path: Path
) -> None:
    for name, other in zip(FILES, [*list(FILES)[1:], next(iter(FILES))], strict=True):
        (tmp_path / name).write_text(FILES[other])
    (tmp_path / ".10-site.yaml.swp").write_text("{{{")
    result, _, plan = standing["kinds"].result(tmp_path)
    assert (result, plan and plan.settled) == ("allowed", True)


def test_two_stacks_in_one_folder_are_refused(standing: Mapping[str, Standing], tmp_path: Path) -> None:
    for name, text in ESTATES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    result, why, _ = standing["kinds"].result(tmp_path)
    assert (result, "stack: stack stands twice (the first is at " in why) == ("refused", True)


# ---- what parses, and means something else


def changed(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    """A config with its resources changed, without outputs."""
    whole = documents.load(text)
    change(whole["resources"])
    whole.pop("outputs", None)
    return documents.dump(whole)


def without_last(text: str, share: float) -> str:
    """The last ones are gone, which nothing before them refers to."""
    return changed(
        text, lambda resources: [resources.popitem() for _ in range(math.ceil(len(resources) * share))]
    )


def test_half_of_it_is_lost(there: tuple[Standing, str], tmp_path: Path) -> None:
    standing, text = there
    owned = len(standing.world.owned)
    for share in (0.3, 0.5, 0.7):
        result, why, _ = of(standing, tmp_path / "estate.yaml", without_last(text, share))
        if result == "stopped":
            assert f"of the {owned} things" in why or "`limits: " in why
            assert "`reconciler approve " in why
        else:
            assert result == "refused" or owned < 5, "only a small estate may lose a thing"


def renamed(text: str) -> str:
    """Every address has another name, which what refers to it knows."""
    return re.sub(rf"\b({'|'.join(BY_NAME)})/", r"\1/new-", text)


def test_everything_is_renamed(there: tuple[Standing, str], tmp_path: Path) -> None:
    standing, text = there
    result, why, _ = of(standing, tmp_path / "estate.yaml", renamed(text))
    assert result == "stopped"
    assert f"the config has lost {len(standing.world.owned)} of the {len(standing.world.owned)} things" in why
    assert "Renamed? " in why
    assert "say `previously: [FORMER ADDRESS]` there" in why


def test_everything_is_renamed_as_one_should(standing: Mapping[str, Standing], tmp_path: Path) -> None:
    def tell(resources: dict[str, Any]) -> None:
        for address, resource in resources.items():
            resource["previously"] = [address.replace("/new-", "/")]

    for name in ("ai-global", "kinds"):
        text = changed(renamed(ESTATES[name]), tell)
        result, why, plan = of(standing[name], tmp_path / "estate.yaml", text)
        assert (result, why) == ("allowed", "")
        assert plan is not None
        assert {entry.verdict.verb for entry in plan.steps if isinstance(entry.verdict, Steps)} == {"update"}


def test_some_are_renamed(standing: Mapping[str, Standing], tmp_path: Path) -> None:
    """Too few to look like a loss, and too many for the budget."""
    text = AI_GLOBAL.replace("site/", "site/new-")
    result, why, _ = of(standing["ai-global"], tmp_path / "estate.yaml", text)
    assert result == "stopped"
    assert "2 things would be deleted or replaced (site/" in why
    assert "Renamed? 2 others of the same kinds are new: say `previously: [FORMER ADDRESS]` there." in why


@pytest.mark.parametrize("name", ["ai-global", "kinds"])
def test_every_region_is_another(standing: Mapping[str, Standing], tmp_path: Path, name: str) -> None:
    """What stands elsewhere is neither made again nor deleted."""
    text = ESTATES[name].replace("us-west-2", "eu-west-1")
    result, _, plan = of(standing[name], tmp_path / "estate.yaml", text)
    assert result == "allowed"
    assert plan is not None
    assert [entry for entry in plan.steps if entry.scope.region] == [], "global things may name regions"
    moved = [entry for entry in plan.entries if entry.scope.region == "eu-west-1"]
    assert moved
    for entry in moved:
        assert isinstance(entry.verdict, Blocked)
        assert "region cannot change after creation: change it back" in entry.verdict.why


def test_a_region_that_is_part_of_the_addresses_is_another(
    standing: Mapping[str, Standing], tmp_path: Path
) -> None:
    text = TWO_REGIONS.replace("us-west-2", "eu-west-1")
    result, why, _ = of(standing["two-regions"], tmp_path / "estate.yaml", text)
    assert result == "stopped"
    assert "`limits: percent` allows 2" in why


def test_another_stack_or_another_account(there: tuple[Standing, str], tmp_path: Path) -> None:
    """Nothing of the one is known to the other, and the daemon refuses both."""
    standing, text = there
    file, stack = tmp_path / "estate.yaml", standing.config.stack
    for old, new, words in (
        (f"stack: {stack}", "stack: other", f"`stack` has changed from {stack} to other"),
        ("123456789012", "210987654321", "`account` has changed from 123456789012 to 210987654321"),
    ):
        file.write_text(text.replace(old, new))
        with pytest.raises(ReconcilerError, match=re.escape(words)) as refused:
            checked(lambda: read(file), standing.config)
        assert "restart the service if that is meant" in str(refused.value)


# ---- for real


def test_what_is_stopped_or_refused_writes_nothing_at_all(
    standing: Mapping[str, Standing], tmp_path: Path
) -> None:
    ops, file = standing["kinds"].ops, tmp_path / "estate.yaml"
    ops.aws.clear_calls()
    for name, text in ESTATES.items():
        for accident in (renamed(text), without_last(text, 0.7)):
            if of(standing[name], file, accident)[0] == "stopped":
                with pytest.raises(GuardError, match="reconciler approve"):
                    standing[name].loop(read(file)).one_pass("test")
    with pytest.raises(IdentityError, match="nothing was done; choose other credentials"):
        ops.loop(AI_GLOBAL.replace("123456789012", "210987654321")).one_pass("test")
    assert standing["kinds"].ops.plan(KINDS.replace("stack: kinds", "stack: other")).count(Settled) == 0
    assert ops.writes() == []


def test_what_a_small_estate_may_lose_is_one_thing(standing: Mapping[str, Standing], tmp_path: Path) -> None:
    """The last test: cut before its last entry, the estate of four loses just that."""
    found, file = standing["ai-global"], tmp_path / "estate.yaml"
    cut = AI_GLOBAL.partition("  instance/worker:")[0]
    result, _, plan = of(found, file, cut)
    assert (result, plan and doomed(plan)) == ("allowed", ["instance/worker"])
    found.ops.aws.clear_calls()
    found.loop(read(file)).until_settled(600)
    assert found.ops.writes() == ["TerminateInstances"]
