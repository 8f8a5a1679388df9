"""The man page and the completions of three shells, from the parsers of the command line.

    python -m reconciler.manual man|bash|zsh|fish

`make docs` writes them to docs/ and completions/, a test says when they are stale.  Nothing else imports this.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reconciler import __version__, exits
from reconciler.kinds import ALL
from reconciler.options import EXAMPLES, VERBS, Parser, parsers
from reconciler.settings import documented

PATHS = frozenset({"config", "ready_file", "state_dir"})
"""Options whose value is a file or a folder."""
COMMON = 4
"""An option that so many verbs have is told once for all of them."""
MADE = "Made by `make docs` from reconciler/options.py; changes belong there."


@dataclass(frozen=True)
class Option:
    """One option of a verb; `value` is what its value is called, "" for one that takes none."""

    words: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    help: str
    is_path: bool


@dataclass(frozen=True)
class Verb:
    """One verb, with the options that its --help shows.

    `word` is what its positional word is called, "" when it takes none; `words` are those it may be, if they are known.
    """

    name: str
    about: str
    options: tuple[Option, ...]
    word: str
    words: tuple[str, ...]


def verbs() -> list[Verb]:
    """All verbs, in the order of the command line."""
    return [_verb(name, parser) for name, parser in parsers()[1].items()]


def _verb(name: str, parser: Parser) -> Verb:
    shown = [action for action in parser._actions if action.help is not argparse.SUPPRESS]
    words = [action for action in shown if not action.option_strings]
    kinds = [kind.name for kind in ALL if [action.metavar for action in words] == ["KIND"]]
    return Verb(
        name=name,
        about=VERBS[name],
        options=tuple(_option(action) for action in shown if action.option_strings),
        word=" ".join(str(action.metavar or action.dest) for action in words),
        words=tuple(kinds or [str(choice) for action in words for choice in action.choices or ()]),
    )


def _option(action: argparse.Action) -> Option:
    choices = tuple(map(str, action.choices or ()))
    value = "" if action.nargs == 0 else "|".join(choices) or str(action.metavar or action.dest.upper())
    return Option(
        words=tuple(action.option_strings),
        value=value,
        choices=choices,
        help=str(action.help or "").replace("%%", "%"),
        is_path=action.dest in PATHS,
    )


# ------------------------------------------------------------------------------------------------------- man page

DESCRIPTION = """\
reconciler reads a desired state (YAML), looks at what AWS has of it, and makes the calls that close the difference; \
then it does so again.  There is no state file: tags on the things themselves say which of them are ours.

The answer of a verb goes to standard output, the log to standard error: for eyes on a terminal, one JSON object a \
line elsewhere.  Options follow the verb, and are written out in full."""

STATUSES = {
    exits.OK: "settled, or done; of a daemon: it was told to stop",
    exits.FAILED: "something failed or is blocked; a retry may help",
    exits.CHANGES: "changes are pending or were made, only with --detailed-exitcode; of drift: AWS was changed",
    exits.GUARDED: "a guard stopped it; nothing was done",
    exits.USAGE: "the command line is wrong",
    exits.LATER: "try later: under way after --timeout, held by another process, unreachable",
    exits.NOT_ALLOWED: "wrong account, no good credentials, or not allowed; the unit does not restart",
    exits.BAD_CONFIG: "the config is wrong; the unit does not restart",
}

SIGNALS = {
    "HUP": "reload: the config is read and checked as a whole and taken over between two passes; a bad one is "
    "refused, and the last good one stays in use",
    "TERM, INT": "stop: the call in flight may finish, no other is made, and what is left is told; a second INT "
    "stops at once",
    "USR1": "look now",
    "USR2": "write the call stacks of all threads to standard error",
}

FILES = {
    "/etc/reconciler/conf.d/": "the config of reconciler.service: all *.yaml in it are one config",
    "/etc/reconciler/stacks/NAME/": "the config of reconciler@NAME.service",
    "/var/lib/reconciler/": "the state directory of a service, ~/.local/state/reconciler that of a person: locks, "
    "the audit log, what is remembered of recent creations; it may be deleted at any moment",
    ".reconciler-pause.json": "beside the config: a pause, its reason and its end",
}

ENVIRONMENT = {
    "RECONCILER_VAR_NAME": "the variable NAME of the config, as --var",
    "STATE_DIRECTORY": "the state directory that systemd gives a unit",
    "AWS_*": "credentials, profile, region and endpoints, as for the AWS CLI; AWS_REGION counts only where the "
    "config names no region",
    "NO_COLOR, FORCE_COLOR, TERM": "whether answers and log are coloured on a terminal; NO_COLOR counts first",
}

STORY = """\
reconciler doctor --config /etc/reconciler/conf.d
reconciler plan --config /etc/reconciler/conf.d
systemctl enable --now reconciler
journalctl -u reconciler -f
systemctl reload reconciler"""


def man() -> str:
    """The page reconciler(8), in man macros."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    all_verbs = verbs()
    counts = Counter(option for verb in all_verbs for option in verb.options)
    common = [option for option, count in counts.items() if count >= COMMON]
    yield f'.\\" {MADE}'
    yield f'.TH RECONCILER 8 "" "reconciler {_roff(__version__)}" "System Administration"'
    yield ".SH NAME"
    yield "reconciler \\- keep an AWS estate as a YAML config declares it"
    yield ".SH SYNOPSIS"
    for verb in all_verbs:
        yield f".B reconciler {_roff(verb.name)}"
        yield (
            f"[{_italic(verb.word)}] [{_italic('OPTION')}]\\&..."
            if verb.word
            else f"[{_italic('OPTION')}]\\&..."
        )
        yield ".br"
    yield f".B reconciler {_roff('--help')}\n|\n.B {_roff('--version')}"
    yield ".SH DESCRIPTION"
    for paragraph in DESCRIPTION.split("\n\n"):
        yield ".PP"
        yield _roff(paragraph, prose=True)
    yield ".SH VERBS"
    for verb in all_verbs:
        yield f".SS {_roff(verb.name)}"
        yield _roff(verb.about, prose=True)
        for option in verb.options:
            if option not in common:
                yield from _told(option)
        if verb.name in EXAMPLES:
            yield from _verbatim(EXAMPLES[verb.name])
    yield ".SH OPTIONS"
    yield "Options of most verbs."
    for option in common:
        yield from _told(option)
    yield ".SH SETTINGS"
    yield "An option counts before its variable, the variable before the default."
    for setting in documented():
        names = ", ".join(f"\\fB{_roff(name)}\\fR" for name in (setting.option, setting.variable) if name)
        unit = f" ({setting.unit})" if setting.unit else ""
        default = f"; default: {setting.default}" if setting.default else ""
        yield ".TP"
        yield f"{names}{unit}{_roff(default)}"
        yield _roff(setting.why, prose=True)
    yield ".SH SIGNALS"
    yield "Of the daemon."
    yield from _table(SIGNALS)
    yield ".SH EXIT STATUS"
    yield from _table({str(status): meaning for status, meaning in STATUSES.items()})
    yield ".SH ENVIRONMENT"
    yield from _table(ENVIRONMENT)
    yield ".SH FILES"
    yield from _table(FILES)
    yield ".SH EXAMPLES"
    yield from _verbatim(STORY)
    yield ".SH SEE ALSO"
    yield ".BR aws (1),\n.BR journalctl (1),\n.BR systemctl (1),\n.BR systemd.service (5)"


def _told(option: Option) -> Iterator[str]:
    yield ".TP"
    words = ", ".join(f"\\fB{_roff(word)}\\fR" for word in option.words)
    yield f"{words} {_italic(option.value)}" if option.value else words
    yield _roff(option.help, prose=True)


def _table(rows: dict[str, str]) -> Iterator[str]:
    for name, meaning in rows.items():
        yield ".TP"
        yield f"\\fB{_roff(name)}\\fR"
        yield _roff(meaning, prose=True)


def _verbatim(text: str) -> Iterator[str]:
    yield ".PP\n.RS 4\n.nf"
    for line in text.splitlines():
        yield _roff(line.removeprefix("  "))
    yield ".fi\n.RE"


def _italic(text: str) -> str:
    return f"\\fI{_roff(text)}\\fR"


def _roff(text: str, *, prose: bool = False) -> str:
    """Text that troff shows as it stands; in prose a hyphen between letters is one, elsewhere all are minus signs."""
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<!\w)-" if prose else "-", r"\\-", text)
    text = "".join(char if ord(char) < 128 else f"\\[u{ord(char):04X}]" for char in text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


# ---------------------------------------------------------------------------------------------------- completions


def bash() -> str:
    """The completion of bash (4 or later); it needs nothing beside it."""
    all_verbs = verbs()
    values = {option for verb in all_verbs for option in verb.options if option.value}
    lines = [
        f"# bash completion of reconciler.  {MADE}",
        "_reconciler()",
        "{",
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=",
        "    if [[ $word == '=' ]]; then  # --format=json is three words here",
        "        word=",
        "    elif [[ $before == '=' ]]; then",
        "        before=${COMP_WORDS[COMP_CWORD-2]}",
        "    fi",
        "    COMPREPLY=()",
        "    if [[ $COMP_CWORD -eq 1 ]]; then",
        f'        mapfile -t COMPREPLY < <(compgen -W "{" ".join(VERBS)} --help --version" -- "$word")',
        "        return",
        "    fi",
        '    case "${COMP_WORDS[1]} $before" in',
    ]
    paths = sorted({word for option in values if option.is_path for word in option.words})
    free = sorted(
        {word for option in values if not option.is_path and not option.choices for word in option.words}
    )
    for option in sorted(values, key=lambda option: option.words):
        if option.choices:
            lines.append(f'        *" "{"|".join(option.words)}) words="{" ".join(option.choices)}" ;;')
    if paths:
        lines += [
            f"        {_patterns(paths)})",
            "            compopt -o filenames 2>/dev/null",
            '            mapfile -t COMPREPLY < <(compgen -f -- "$word")',
            "            return ;;",
        ]
    if free:
        lines.append(f"        {_patterns(free)}) return ;;")
    for verb in all_verbs:
        offered = [word for option in verb.options for word in option.words]
        lines.append(f'        "{verb.name} "*) words="{" ".join([*verb.words, *offered])}" ;;')
    lines += [
        "    esac",
        '    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")',
        "}",
        "complete -F _reconciler reconciler",
    ]
    return "\n".join(lines) + "\n"


def _patterns(words: Sequence[str]) -> str:
    return "|".join(f'*" "{word}' for word in words)


def zsh() -> str:
    """The completion of zsh, to be put as `_reconciler` into a folder of its fpath."""
    lines = [
        "#compdef reconciler",
        f"# {MADE}",
        "_reconciler() {",
        "    local context state state_descr line",
        "    typeset -A opt_args",
        "    local -a verbs=(",
        *(f"        {_quoted(f'{name}:{about}')}" for name, about in VERBS.items()),
        "    )",
        "    _arguments -C '(- *)'{-h,--help}'[show help]' '(- *)--version[the version]' "
        "'1:verb:->verb' '*::option:->option' && return",
        "    case $state in",
        "        verb) _describe -t verbs verb verbs ;;",
        "        option)",
        "            case $words[1] in",
    ]
    for verb in verbs():
        lines.append(f"                {verb.name})")
        lines.append("                    _arguments \\")
        each = [text for option in verb.options for text in _zsh(option)]
        if verb.word:
            words = f"({' '.join(verb.words)})" if verb.words else " "
            each.append(_quoted(f"*:{verb.word}:{words}"))
        lines += [f"                        {text} \\" for text in each[:-1]]
        lines += [f"                        {each[-1]}", "                    ;;"]
    lines += ["            esac", "            ;;", "    esac", "}", '_reconciler "$@"']
    return "\n".join(lines) + "\n"


def _zsh(option: Option) -> Iterator[str]:
    help = re.sub(r"([\[\]:\\])", r"\\\1", option.help)
    action = f"({' '.join(option.choices)})" if option.choices else "_files" if option.is_path else " "
    value = f":{option.value}:{action}" if option.value else ""
    for word in option.words:
        yield _quoted(f"{word}[{help}]{value}")


def fish() -> str:
    """The completion of fish."""
    lines = [f"# fish completion of reconciler.  {MADE}", "complete -c reconciler -f"]
    first = "-n __fish_use_subcommand"
    lines += [
        f"complete -c reconciler {first} -a {name} -d {_quoted(about)}" for name, about in VERBS.items()
    ]
    lines.append(f"complete -c reconciler {first} -s h -l help -d 'show help'")
    lines.append(f"complete -c reconciler {first} -l version -d 'the version'")
    for verb in verbs():
        seen = f"-n '__fish_seen_subcommand_from {verb.name}'"
        if verb.words:
            lines.append(f"complete -c reconciler {seen} -a {_quoted(' '.join(verb.words))}")
        for option in verb.options:
            lines.append(f"complete -c reconciler {seen} {_fish(option)} -d {_quoted(option.help)}")
    return "\n".join(lines) + "\n"


def _fish(option: Option) -> str:
    words = [f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}" for word in option.words]
    if option.choices:
        words.append(f"-x -a {_quoted(' '.join(option.choices))}")
    elif option.value:
        words.append("-r -F" if option.is_path else "-x")
    return " ".join(words)


def _quoted(text: str) -> str:
    """A word of a shell.  zsh and fish both take a single quote only outside of single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


FORMS: dict[str, Callable[[], str]] = {"man": man, "bash": bash, "zsh": zsh, "fish": fish}


def main(arguments: Sequence[str]) -> int:
    """Write one of them to stdout."""
    if len(arguments) != 1 or arguments[0] not in FORMS:
        sys.stderr.write(f"usage: python -m reconciler.manual {'|'.join(FORMS)}\n")
        return exits.USAGE
    sys.stdout.write(FORMS[arguments[0]]())
    return exits.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
