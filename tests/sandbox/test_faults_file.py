"""Files of faults: every mistake is told, in its place; and the document's own file runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import FaultsFileError, LocalAws, read_rules
from reconciler.sandbox.faults.file import PLAIN, RULE_KEYS, TOLD_MORE
from reconciler.sandbox.faults.refusals import WORDS

from .services import NETWORK_MANAGER

MISTAKES = [
    (
        "[{call: CreatSite, do: drop}]",
        "f:1:9: [0].call: no service has an operation CreatSite (did you mean Crea",
    ),
    ("[{call: ec2:DescribeVpc, do: drop}]", "ec2 has no operation DescribeVpc (did you mean DescribeVpcs?)"),
    ("[{call: ec3:DescribeVpcs, do: drop}]", "the local AWS has no service ec3 (did you mean ec2?)"),
    (
        "[{call: TagResource, do: drop}]",
        "say which: dynamodb:TagResource, eks:TagResource, globalaccelerator:TagResource",
    ),
    ("[{call: '*:GetSites', do: drop}]", "say which service has GetSites"),
    ("[{call: GetSites, do: dorp}]", "f:1:23: [0].do: there is no fault dorp (did you mean drop?)"),
    ("[{call: GetSites, do: slow}]", "slow needs to be told more (as {slow: …})"),
    ("[{call: GetSites, do: {drop: 3}}]", "drop takes nothing more (write `do: drop`)"),
    ("[{call: GetSites, do: {fail: throtled}}]", "did you mean throttled?"),
    ("[{call: GetSites, do: {fail: {status: 400}}}]", "a refusal needs `code`"),
    (
        "[{call: GetSites, do: {fail: {code: A, sttus: 400}}}]",
        "a refusal has no sttus (did you mean status?)",
    ),
    (
        "[{call: GetSites, do: {fail: {code: A, status: x}}}]",
        "expected a whole number from 300 to 599, got x",
    ),
    ("[{call: GetSites, do: {lag: {seconds: 1, lists: 1}}}]", "say either seconds or lists"),
    ("[{call: GetSites, do: {throttle: {burst: 1}}}]", "say both burst and refill"),
    ("[{call: GetSites, do: {slow: -1}}]", "expected a number of at least 0, got -1"),
    ("[{call: GetSites, nth: 0, do: drop}]", "expected which calls, got 0 (as 3, 2-4, 2-, odd, even)"),
    ("[{call: GetSites, nth: 4-2, do: drop}]", "expected which calls, got 4-2"),
    ("[{call: GetSites, chance: 2, do: drop}]", "expected a number from 0 to 1, got 2"),
    ("[{call: GetSites, nht: 2, do: drop}]", "f:1:19: [0]: there is no key nht (did you mean nth?)"),
    ("[{call: GetSites, nth: 2, do: {lag: 3}}]", "f:1:19: [0].nth: lag is about things and time"),
    (
        "[{call: GetSites, with: {SiteId: x}, do: drop}]",
        "GetSites has no parameter SiteId (did you mean SiteIds?)",
    ),
    ("[{call: GetSites, call: GetLinks, do: drop}]", "[0].call: it stands twice"),
    ("[{do: drop}]", "f:1:2: [0]: a rule needs `call`"),
    ("[{call: GetSites}]", "a rule needs `do`"),
    ("[{call: GetSites, do: {before: {call: reads}}}]", "somebody else makes one call (name its operation)"),
    ("[{call: GetSites, do: {before: {with: {}}}}]", "what somebody else does needs `call`"),
    (
        "[{call: GetSites, do: {before: {call: DeleteSite, with: {Sit: 1}}}}]",
        "DeleteSite has no parameter Sit",
    ),
    ("[{call: GetSites, do: {drop: 1, cut: 1}}]", "expected one fault (give each its own rule)"),
    ("{fauls: []}", "f:1:2: there is no key fauls (did you mean faults?)"),
    ("{faults: 3}", "f:1:10: faults: expected a list of rules, got 3"),
    ("faults: [}", "f:1:10: this is not YAML: "),
    ("3", "f:1:1: expected a list of rules, got 3"),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_a_mistake_is_told_in_its_place(text: str, told: str) -> None:
    with pytest.raises(FaultsFileError) as caught:
        read_rules(text, "f")
    (line,) = str(caught.value).splitlines()
    assert told in line
    assert line.startswith("f:1:")


def test_all_mistakes_are_told_at_once() -> None:
    text = "seed: x\nfaults:\n- {call: GetSites, do: dorp}\n- {call: CreatSite, chance: 7, do: cut}\n"
    with pytest.raises(FaultsFileError) as caught:
        read_rules(text, "f")
    assert [(mistake.line, mistake.column) for mistake in caught.value.mistakes] == [
        (1, 7),
        (3, 24),
        (4, 10),
        (4, 29),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "faults: []", "[]"])
def test_nothing_goes_wrong_by_default(text: str) -> None:
    assert read_rules(text, "f").rules == ()


def test_what_is_quoted_is_a_text_and_yes_and_on_are_too(aws: LocalAws, nm: Any) -> None:
    aws.faults("[{call: CreateGlobalNetwork, with: {Description: on}, do: {fail: Busy}}]")
    NETWORK_MANAGER.make()
    with pytest.raises(Exception, match="Busy"):
        nm.create_global_network(Description="on")


EXAMPLE = Path(__file__).parents[2] / "docs/faults.yaml"


def test_the_file_of_the_document_does_what_it_says(aws: LocalAws, nm: Any, network: str) -> None:
    aws.faults(EXAMPLE.read_text())
    made = []
    for number in range(1, 4):
        try:
            made.append(nm.create_site(GlobalNetworkId=network)["Site"]["SiteId"])
        except Exception as error:
            assert (number, type(error).__name__) == (3, "ConnectionClosedError")  # noqa: PT017
    assert nm.get_sites(GlobalNetworkId=network)["Sites"] == []  # they lag
    aws.clock.advance(30)
    there = [site["SiteId"] for site in nm.get_sites(GlobalNetworkId=network)["Sites"]]
    assert len(there) == 3
    assert set(made) < set(there)


def test_the_document_tells_of_every_word() -> None:
    text = (EXAMPLE.parent / "faults.md").read_text()
    words = (*RULE_KEYS, *PLAIN, *WORDS, *TOLD_MORE, "seed")
    assert [word for word in words if not re.search(rf"`\{{?{word}\b|^{word}:", text, re.MULTILINE)] == []
