"""A flap: fields that were put right again and again.  Judged by `engine.flaps`, kept by `aws.memory`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mended:
    """One field that was put right: a digest of what is wanted there, and when it was, the last time at the end."""

    wanted: str
    times: tuple[float, ...]


@dataclass(frozen=True)
class Flap:
    """What was put right of one address lately, by path.  Times are seconds since the epoch.

    `differed` is when a look last saw it differ although it is stopped, None while it is not stopped.  `others` is a
    sentence about who else writes it, "" while nobody has asked; `asked` is when somebody did last, `known` whether
    to ask again is of no use.
    """

    fields: Mapping[str, Mended]
    differed: float | None = None
    others: str = ""
    asked: float | None = None
    known: bool = False

    @property
    def first(self) -> float:
        """When it was first put right, as far as that counts."""
        return min(one.times[0] for one in self.fields.values())

    @property
    def last(self) -> float:
        """When it was put right last."""
        return max(one.times[-1] for one in self.fields.values())

    def as_data(self) -> dict[str, Any]:
        """As JSON has it."""
        fields = {path: [one.wanted, list(one.times)] for path, one in self.fields.items()}
        return {
            "fields": fields,
            "differed": self.differed,
            "others": self.others,
            "asked": self.asked,
            "known": self.known,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Flap:
        """What `as_data` has made; ValueError for anything else."""
        try:
            fields = {
                str(path): Mended(str(wanted), tuple(map(float, times)))
                for path, (wanted, times) in data["fields"].items()
            }
            differed, asked = (
                None if data[name] is None else float(data[name]) for name in ("differed", "asked")
            )
            if not fields or not all(one.times for one in fields.values()):
                raise ValueError("nothing was put right")
            return cls(fields, differed, str(data["others"]), asked, bool(data["known"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no flap: {error!r}") from error
