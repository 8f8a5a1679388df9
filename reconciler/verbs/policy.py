"""The verb `iam-policy`: what has to be allowed for a config, as a policy to hand to IAM.  It asks nothing of AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler import policy
from reconciler.aws.session import partition_of
from reconciler.exits import OK
from reconciler.kinds import BY_NAME
from reconciler.model.config import Config
from reconciler.options import near
from reconciler.policy import INLINE, MANAGED, Extent, Statement
from reconciler.program import Program, UsageError
from reconciler.say import as_text


def iam_policy(program: Program) -> int:
    """Print the policy, and on stderr what a person has to know of it."""
    config, options = program.config(), program.options
    extent = policy.extent(
        config,
        BY_NAME,
        account=_account(config, options.account),
        partition=partition_of(config.region),
        everything=options.all,
    )
    statements = policy.read_half(extent) if options.half != "write" else []
    statements += policy.write_half(extent) if options.half != "read" else []
    if not statements:
        raise UsageError("there is nothing to allow: this config changes nothing in this account")
    pieces = policy.parts(statements, MANAGED)
    chosen = statements if options.part is None else _part(pieces, options.part)
    program.voice.write(as_text(policy.document(chosen)))
    if options.part is None:
        notes = [*_too_long(statements, len(pieces), options.half), *_left(config, extent, options.half)]
        for note in notes:
            program.voice.line(f"reconciler: {note}")
    return OK


def _account(config: Config, given: str | None) -> str:
    """The id of the account that is meant: our own, unless another of the config's is named."""
    others = {name: other.id for name, other in config.accounts.items()}
    if given is None or given == config.account:
        return config.account
    if given in others or given in others.values():
        return others.get(given, given)
    raise UsageError(f"--account: the config has no account {given!r}{near(given, others) if others else ''}")


def _part(pieces: Sequence[list[Statement]], given: int) -> list[Statement]:
    if not 1 <= given <= len(pieces):
        raise UsageError(f"--part: there is no part {given}, the last is {len(pieces)}")
    return pieces[given - 1]


def _too_long(statements: Sequence[Statement], pieces: int, half: str) -> Iterator[str]:
    """That it does not fit where it may be meant to go, and what fits."""
    size = len(policy.compact(policy.document(statements)))
    if size <= MANAGED:
        return
    other = f"inline a role may have {INLINE}, or " if size <= INLINE else ""
    halves = "say --half read and --half write, or " if half == "both" else "say "
    yield (
        f"this is {size} characters without white space, and a managed policy may have {MANAGED}: "
        f"{other}{halves}--part 1 to --part {pieces}, and attach them all"
    )


def _left(config: Config, extent: Extent, half: str) -> Iterator[str]:
    """What a policy leaves to a person."""
    if extent.profiles and half != "read":
        yield "PassRole names the role like the instance profile; correct it if the role is called otherwise"
    if extent.account == config.account and config.accounts:
        others = ", ".join(f"--account {name}" for name in config.accounts)
        yield f"this is for {config.account}; the roles of the other accounts need theirs: {others}"
