"""Two items of a part that are one and the same to AWS."""

from __future__ import annotations

import pytest

from .support import config, problem, resources

GROUP = """
vpc/v: {CidrBlock: 10.0.0.0/16}
security-group/b: {GroupName: b, Description: b}
security-group/a:
  GroupName: a
  Description: a
  Ingress:
    - {%s}
    - {%s}
"""
SSH = "IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIpv4: "


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{SSH}10.0.0.0/8", f"{SSH}10.0.0.0/8"),
        (f"{SSH}10.0.0.0/8", f"{SSH}10.0.0.0/8, Description: other words"),
        (f"{SSH}10.0.0.0/8", f"{SSH}10.1.2.3/8"),
        (f"{SSH}10.0.0.0/8", 'IpProtocol: "6", FromPort: 22, ToPort: 22, CidrIpv4: 10.0.0.0/8'),
        (f'{SSH}"${{vpc/v.CidrBlock}}"', f'{SSH}"${{vpc/v.CidrBlock}}"'),
        (
            'IpProtocol: "-1", ReferencedGroupId: "${security-group/b}"',
            'IpProtocol: "-1", ReferencedGroupId: "${security-group/b}"',
        ),
    ],
)
def test_the_second_is_told(first: str, second: str) -> None:
    found = problem(resources(GROUP % (first, second)))
    assert found.what == "is the same as Ingress[0], and only one of them can exist"
    assert (found.place.line, found.place.column, found.path) == (12, 9, "security-group/a.Ingress[1]")
    assert found.hint == "the first is at a.yaml:11:9"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{SSH}10.0.0.0/8", f"{SSH}10.0.0.0/16"),
        (f"{SSH}10.0.0.0/8", f'{SSH}"${{vpc/v.CidrBlock}}"'),
        (
            'IpProtocol: "-1", ReferencedGroupId: "${security-group/a}"',
            'IpProtocol: "-1", ReferencedGroupId: "${security-group/b}"',
        ),
    ],
)
def test_different_ones(first: str, second: str) -> None:
    assert len(config(resources(GROUP % (first, second))).resources) == 3


def test_the_other_direction_is_another_part() -> None:
    rule = f"[{{{SSH}10.0.0.0/8}}]"
    config(resources(f"security-group/a: {{GroupName: a, Description: a, Ingress: {rule}, Egress: {rule}}}"))
