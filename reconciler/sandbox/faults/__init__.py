"""What goes wrong on request: rules that say which calls, and what happens to them.  docs/faults.md has the language.

`rules` are the nouns, `faults` keeps count and decides, `lists`, `buckets`, `refusals` and `hand` know what the effects
come to, `file` reads rules from YAML.  `pipeline.py` asks around each operation; tests set rules through
`inprocess.LocalAws`, the command `sandbox` takes them from a file.
"""

from .faults import Faults, Hook, Met, Moment, Strike
from .rules import (
    Blank,
    ByAnother,
    Cut,
    Drop,
    Effect,
    Empty,
    Lag,
    LeaveOut,
    LoseAnswer,
    Nth,
    OtherCall,
    Refuse,
    Rule,
    Slow,
    Stale,
    Target,
    Throttle,
)

__all__ = [
    "Blank",
    "ByAnother",
    "Cut",
    "Drop",
    "Effect",
    "Empty",
    "Faults",
    "Hook",
    "Lag",
    "LeaveOut",
    "LoseAnswer",
    "Met",
    "Moment",
    "Nth",
    "OtherCall",
    "Refuse",
    "Rule",
    "Slow",
    "Stale",
    "Strike",
    "Target",
    "Throttle",
]
