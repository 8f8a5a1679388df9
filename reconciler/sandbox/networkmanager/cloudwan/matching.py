"""Which segment or network function group a policy puts an attachment into.  Pure: a policy and facts in, a match out.

Source: AWS Cloud WAN user guide, "Core network policy version parameters", attachment-policies: rules are looked at
from the lowest number to the highest and the first that matches decides; a segment wants attachments to be accepted
unless it says `require-attachment-acceptance: false`, and a rule may demand it beyond that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .documents import Document


@dataclass(frozen=True)
class Facts:
    """What conditions look at: `type` as policies spell it (`vpc`, `site-to-site-vpn`, …)."""

    type: str
    account: str
    region: str
    resource: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Match:
    """The rule that decided (None: no rule did), where it puts the attachment, and whether a person must agree."""

    rule: int | None = None
    segment: str | None = None
    group: str | None = None
    needs_acceptance: bool = False

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Where the attachment is put."""
        return self.segment, self.group


def match(document: Document, facts: Facts) -> Match:
    """The place of an attachment. A rule whose tag names no segment puts it nowhere, as no rule does (unverified)."""
    rules = sorted(document.get("attachment-policies", []), key=lambda rule: int(rule["rule-number"]))
    for rule in rules:
        held = [_holds(condition, facts) for condition in rule["conditions"]]
        if any(held) if rule.get("condition-logic") == "or" else all(held):
            return _place(document, rule, facts)
    return Match()


def _place(document: Document, rule: Mapping[str, Any], facts: Facts) -> Match:
    action, number = rule["action"], int(rule["rule-number"])
    group = action.get("add-to-network-function-group")
    if group is not None:
        return Match(number, None, group, _accepts(document, "network-function-groups", group, action))
    if action["association-method"] == "tag":
        segment = facts.tags.get(action["tag-value-of-key"])
    else:
        segment = action["segment"]
    if segment not in [one["name"] for one in document.get("segments", [])]:
        return Match(number)
    return Match(number, segment, None, _accepts(document, "segments", str(segment), action))


def _accepts(document: Document, collection: str, name: str, action: Mapping[str, Any]) -> bool:
    found: Mapping[str, Any] = next(one for one in document[collection] if one["name"] == name)
    return bool(found.get("require-attachment-acceptance", True) or action.get("require-acceptance", False))


def _holds(condition: Mapping[str, Any], facts: Facts) -> bool:
    kind = condition.get("type")
    if kind == "any":
        return True
    if kind == "tag-exists":
        return condition.get("key") in facts.tags
    values = {
        "tag-value": facts.tags.get(str(condition.get("key"))),
        "resource-id": facts.resource,
        "region": facts.region,
        "attachment-type": facts.type,
        "account-id": facts.account,  # in policies of 2021.12
        "account": facts.account,  # in policies of 2025.11
    }
    found, wanted = values.get(str(kind)), str(condition.get("value", ""))
    if found is None:
        return False
    return {
        "equals": found == wanted,
        "not-equals": found != wanted,
        "contains": wanted in found,
        "begins-with": found.startswith(wanted),
    }.get(str(condition.get("operator", "equals")), False)
