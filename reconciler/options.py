"""The words of the command line: its verbs, their options, and what is said of one that does not exist.  Used by `cli`.

Exact words only: an option that deletes is not to be guessed from its first letters.  A wrong word ends the process
with 64, for argparse's own 2 means "changes" here.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NoReturn

from reconciler import build
from reconciler.exits import USAGE

ABOUT = """\
examples:
  reconciler check --config config/ai-global.yaml          is the config right?
  reconciler plan --config config/ai-global.yaml           what would be done?
  reconciler run --once --config config/ai-global.yaml     do it, and stop when all is settled

Keeps an AWS estate as a YAML config declares it.  The answer goes to stdout, the log to stderr.
"""
STATUSES = """\
exit status: 0 settled or done, 1 something failed, 2 changes (only with --detailed-exitcode, and of drift),
  3 a guard stopped it and nothing was done, 64 usage, 75 try later, 77 wrong account or not allowed, 78 bad config
"""
VERBS = {
    "check": "Is the config right?",
    "plan": "What would be done?",
    "run": "Do it: once, or again and again.",
    "drift": "What has changed in AWS, and not just in the config?",
    "outputs": "The outputs of the config, as AWS has them now.",
    "status": "How the stacks of this host stand; works without AWS and without the daemon.",
    "explain": "One address: what is wanted, what is there, and why it is or is not touched.",
    "approve": "Agree to one plan that a guard has stopped.",
    "pause": "Change nothing from here on, of the stack or of one address.",
    "resume": "Make changes again.",
    "trigger": "Have the daemon look now.",
    "destroy": "Delete everything that is the stack's.",
    "doctor": "Would it work here, and if not, what is to be done?",
    "history": "What was changed, when and why?",
    "iam-policy": "The IAM policy that the config needs, and nothing beyond it.",
    "kinds": "The kinds there are, or one of them.",
    "schema": "The JSON Schema of the config, for editors.",
    "events": "The events that the log can hold.",
    "sandbox": "A local AWS.",
}
EXAMPLES = {
    "check": """\
  reconciler check --config estate.yaml
  reconciler check --config conf.d --json                  the problems for programs
  reconciler check --config estate.yaml --var size=t3.nano""",
    "plan": """\
  reconciler plan --config estate.yaml
  reconciler plan --config estate.yaml --detailed-exitcode    2 when there is something to do
  reconciler plan --config estate.yaml --json | jq .summary""",
    "run": """\
  reconciler run --once --config estate.yaml               stop when all is settled
  reconciler run --once --config estate.yaml --timeout 30m
  reconciler run --config /etc/reconciler/conf.d           again and again, as a service""",
    "drift": """\
  reconciler drift --config estate.yaml                    2 when something has changed in AWS""",
    "outputs": """\
  reconciler outputs --config estate.yaml
  reconciler outputs --config estate.yaml --json | jq -r .siteOneId""",
    "status": """\
  reconciler status                                        all stacks of this host
  reconciler status --stack ai-global --exit-code          0 good, 1 failing, 2 pending, 3 stopped by a guard
  reconciler status --json | jq -r '.stacks[].sentence'""",
    "explain": """\
  reconciler explain site/one --config estate.yaml""",
    "approve": """\
  reconciler approve 3f2a90c41be87d05 --config estate.yaml --reason "the old site is closed"
                                                           the hash stands in the line of the guard, and in plan""",
    "pause": """\
  reconciler pause --config estate.yaml --reason "moving the Frankfurt links" --for 2h
  reconciler pause instance/worker --config estate.yaml --reason "disk is being copied\"""",
    "resume": """\
  reconciler resume --config estate.yaml                   ends all pauses, and what the flap breaker has stopped
  reconciler resume instance/worker --config estate.yaml""",
    "destroy": """\
  reconciler destroy --config estate.yaml                  asks for the name of the stack
  reconciler destroy --config estate.yaml --yes --protected""",
    "doctor": """\
  reconciler doctor --config estate.yaml                   changes nothing, here or in AWS
  reconciler doctor --config estate.yaml --json | jq '.findings[] | select(.status == "bad")'
  reconciler doctor amnesia --config estate.yaml           is the plan the same without the state directory?""",
    "events": """\
  reconciler events                                        names, levels, meanings
  reconciler events --json | jq '.events["pass.finished"]'    with all fields
  reconciler events --schema                               the JSON Schema of a line""",
    "history": """\
  reconciler history                                       the last 20 changes, the newest last
  reconciler history site/one --last 3
  reconciler history --since 03:00 --state-dir /var/lib/reconciler
  reconciler history --since 2h --json | jq '.changes[].calls[].aws_request_id'""",
    "iam-policy": """\
  reconciler iam-policy --config estate.yaml > policy.json
  reconciler iam-policy --config estate.yaml --half read   for those who only look (plan, drift, explain)
  reconciler iam-policy --config estate.yaml --account edge    for the role of another account""",
    "kinds": """\
  reconciler kinds
  reconciler kinds instance""",
    "sandbox": """\
  reconciler sandbox --ready-file url &
  reconciler plan --config config/ai-global.yaml --endpoint-url "$(cat url)"
  reconciler sandbox --port 4000 --faults faults.yaml      lists lag, answers get lost: each is a line on stderr""",
}
READS_CONFIG = (
    *("check", "plan", "run", "drift", "outputs", "destroy"),
    *("status", "explain", "history", "approve", "pause", "resume", "trigger", "doctor", "iam-policy"),
)
ASKS_AWS = ("plan", "run", "drift", "outputs", "destroy", "explain", "doctor", "approve")
CHANGES = ("run", "destroy")


class Parser(argparse.ArgumentParser):
    """A wrong word gets one sentence, and 64."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")

    @property
    def words(self) -> list[str]:
        """All options that are shown."""
        shown = [action for action in self._actions if action.help is not argparse.SUPPRESS]
        return [word for action in shown for word in action.option_strings]


class _Version(argparse.Action):
    """As argparse's own, which would fill both lines into one paragraph."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser._print_message(build.told(), sys.stdout)
        parser.exit()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a command line.  SystemExit: 64 for one that is wrong, 0 after --help and --version."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    first = words[0] if words else ""
    top, verbs = parsers(first)
    if not first:
        top.error(f"say what to do: {', '.join(VERBS)}")
    if first.startswith("-") and first not in top.words:
        top.error(f"options follow the verb: reconciler VERB {first} …")
    if not first.startswith("-") and first not in verbs:
        top.error(f"there is no verb {first!r}{near(first, VERBS)}")
    options, unknown = top.parse_known_args(words)
    if unknown:
        verb = verbs[options.verb]
        wrong = unknown[0].partition("=")[0]
        if wrong.startswith("-"):
            verb.error(f"there is no option {wrong}{near(wrong, verb.words)}")
        verb.error(f"{wrong!r} is one word too many")
    return options


def near(word: str, words: Collection[str]) -> str:
    """` (did you mean …?)`, or what there is where that is not much."""
    found = difflib.get_close_matches(word, words, 1, 0.6)
    if found:
        return f" (did you mean {found[0]}?)"
    return f" (there are {', '.join(sorted(words))})" if len(words) <= 12 else ""


def parsers(only: str = "") -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole line, and those of the verbs by name; `only` one of these knows its options, where that
    is the one that is meant: to add them all takes a fifth of a second."""
    layout = argparse.RawDescriptionHelpFormatter
    top = Parser(
        prog="reconciler", description=ABOUT, epilog=STATUSES, formatter_class=layout, allow_abbrev=False
    )
    top.add_argument(
        "--version", action=_Version, nargs=0, dest=argparse.SUPPRESS, help="what this program is made of"
    )
    added = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs: dict[str, Parser] = {}
    for name, about in VERBS.items():
        told = f"{about}\n\nexamples:\n{EXAMPLES[name]}\n" if name in EXAMPLES else about
        verbs[name] = added.add_parser(
            name, help=about, description=told, formatter_class=layout, allow_abbrev=False
        )
        if only in {"", name}:
            _common(verbs[name], name)
            for add in OWN.get(name, ()):
                add(verbs[name])
    return top, verbs


def _common(verb: Parser, name: str) -> None:
    """Options that every verb takes, so that a wrapper may give the same to all; shown where they count."""
    reads, asks = name in READS_CONFIG, name in ASKS_AWS

    def add(shown: bool, *words: str, help: str, **more: object) -> None:
        verb.add_argument(*words, help=help if shown else argparse.SUPPRESS, **more)  # type: ignore[arg-type]

    verb.set_defaults(format=None)
    verb.add_argument("--json", dest="format", action="store_const", const="json", help="as --format json")
    verb.add_argument("--format", choices=("text", "json"), help="how to answer (text)")
    add(reads, "--config", metavar="PATH", help="a file, or a folder of *.yaml (RECONCILER_CONFIG)")
    add(reads, "--var", action="append", metavar="NAME=VALUE", help="a variable (RECONCILER_VAR_NAME)")
    add(reads, "--region", help="counts only where the config names none (AWS_REGION)")
    add(asks, "--endpoint-url", metavar="URL", help="another AWS, such as the sandbox (AWS_ENDPOINT_URL)")
    add(asks, "--profile", metavar="NAME", help="credentials, as for the AWS CLI (AWS_PROFILE)")
    add(
        reads and name not in {"check", "iam-policy"},
        "--state-dir",
        metavar="PATH",
        help="holds what may be lost (RECONCILER_STATE_DIR)",
    )
    add(asks, "--workers", metavar="N", help="requests side by side (20)")
    add(name in CHANGES, "--grace", metavar="TIME", help="how long creations wait without memory (5s)")
    verb.add_argument("--log-format", choices=("auto", "console", "json"), help="of stderr (auto)")
    verb.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="of stderr (info)")


def _detailed(verb: Parser) -> None:
    verb.add_argument("--detailed-exitcode", action="store_true", help="2 when there are, or were, changes")


def _allowing(verb: Parser) -> None:
    verb.add_argument("--allow-empty", action="store_true", help="a config without resources is meant")
    verb.add_argument("--allow-shrink", action="store_true", help="losing more than half is meant")


def _looking(verb: Parser) -> None:
    verb.add_argument(
        "--read-only", action="store_true", help="have AWS refuse whatever would change something"
    )
    verb.add_argument(
        "--assume-role", metavar="ARN", help="with --read-only: as this role (temporary credentials)"
    )


def _once(verb: Parser) -> None:
    verb.add_argument("--once", action="store_true", help="stop when all is settled")


def _waiting(verb: Parser) -> None:
    verb.add_argument("--timeout", metavar="TIME", help="how long to go on looking, with --once (10m)")
    verb.add_argument("--lock-wait", metavar="TIME", help="how long to wait for another process (0s)")


def _beating(verb: Parser) -> None:
    verb.add_argument("--heartbeat", metavar="TIME", help="between two lines that say it lives (60s)")


def _measured(verb: Parser) -> None:
    verb.add_argument("--metrics-file", metavar="PATH", help="for node_exporter: a path ending with .prom")


def _one_address(verb: Parser) -> None:
    verb.add_argument("address", metavar="ADDRESS", help="as site/one")


def _maybe_address(verb: Parser) -> None:
    verb.add_argument("address", nargs="?", metavar="ADDRESS", help="as site/one; the whole stack without it")


def _plan_hash(verb: Parser) -> None:
    verb.add_argument("plan", metavar="PLAN-HASH", help="of the plan that is meant")


def _agreeing(verb: Parser) -> None:
    verb.add_argument("--reason", metavar="TEXT", help="why; it is kept in the log")
    verb.add_argument("--for", dest="for_", metavar="TIME", help="how long the agreement is good for (1h)")
    _allowing(verb)


def _pausing(verb: Parser) -> None:
    verb.add_argument("--reason", metavar="TEXT", help="why, for whoever is on call next")
    verb.add_argument(
        "--for", dest="for_", metavar="TIME", help="ends by itself after it (2h); without it, by resume"
    )


def _standing(verb: Parser) -> None:
    verb.add_argument("--stack", metavar="NAME", help="this stack, without reading its config")
    verb.add_argument(
        "--exit-code", action="store_true", help="1 failing, 2 pending or paused, 3 stopped by a guard"
    )


def _agreement(verb: Parser) -> None:
    verb.add_argument("--protected", action="store_true", help="delete protected things too")
    verb.add_argument("--yes", action="store_true", help="do not ask")


def _past(verb: Parser) -> None:
    verb.add_argument("address", nargs="?", metavar="ADDRESS", help="only changes of this one, as site/one")
    verb.add_argument("--last", metavar="N", help="how many changes (20; with --since, all)")
    verb.add_argument("--since", metavar="TIME", help="as 2026-11-23T03:12 (UTC), 03:12, or 2h: so long ago")
    verb.add_argument("--stack", metavar="NAME", help="which stack, where there is no --config to say it")


def _checkup(verb: Parser) -> None:
    verb.add_argument(
        "about",
        nargs="?",
        choices=("amnesia",),
        metavar="amnesia",
        help="plan with an empty state directory too: 0 when the plans are equal, byte for byte, 1 when not",
    )


def _policy(verb: Parser) -> None:
    verb.add_argument(
        "--half",
        choices=("read", "write", "both"),
        default="both",
        help="what looks need, what changes need (both)",
    )
    verb.add_argument(
        "--all", action="store_true", help="for all kinds there are, not only those of the config"
    )
    verb.add_argument("--part", type=_count, metavar="N", help="one of several that are short enough each")
    verb.add_argument("--account", metavar="NAME", help="for the role of this one of `accounts:`, or its id")


def _kind(verb: Parser) -> None:
    verb.add_argument("kind", nargs="?", metavar="KIND", help="this one, with all its fields")
    verb.add_argument("--markdown", action="store_true", help="docs/kinds.md")


def _pages(verb: Parser) -> None:
    pages = verb.add_mutually_exclusive_group()
    pages.add_argument("--markdown", action="store_true", help="docs/events.md")
    pages.add_argument(
        "--schema", action="store_true", help="the JSON Schema of a line, docs/events.schema.json"
    )


def _server(verb: Parser) -> None:
    verb.add_argument("--port", type=_port, default=0, metavar="N", help="0: any free one (0)")
    verb.add_argument("--ready-file", type=Path, metavar="FILE", help="gets the URL when calls are accepted")
    verb.add_argument("--delays", choices=("fast", "aws"), default="fast", help="how long AWS takes (fast)")
    verb.add_argument("--faults", type=Path, metavar="FILE", help="what goes wrong, as docs/faults.md has it")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number from 0 to 65535")
    return int(text)


OWN: dict[str, tuple[Callable[[Parser], None], ...]] = {
    "plan": (_detailed, _allowing, _looking),
    "drift": (_looking,),
    "outputs": (_looking,),
    "run": (_once, _detailed, _allowing, _waiting, _beating, _measured),
    "status": (_standing,),
    "explain": (_one_address, _looking),
    "approve": (_plan_hash, _agreeing),
    "pause": (_maybe_address, _pausing),
    "resume": (_maybe_address,),
    "destroy": (_agreement, _waiting),
    "doctor": (_checkup,),
    "history": (_past,),
    "iam-policy": (_policy,),
    "kinds": (_kind,),
    "events": (_pages,),
    "sandbox": (_server,),
}
