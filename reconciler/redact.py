"""What a log line may hold: plain values, short enough, and no secrets.  Used by `log`.

Secrets are kept out by those who log; that fields of sensitive names are blanked here is the second line.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

LONGEST_STRING: Final = 4 * 1024
"""In bytes."""
_DEEPEST: Final = 12

HIDDEN: Final = "(sensitive)"
SENSITIVE: Final = frozenset({
    "authorization", "awssecretaccesskey", "awssessiontoken", "customergatewayconfiguration",
    "latitude", "location", "longitude", "passphrase", "password", "presharedkey", "privatekey", "secret",
    "secretaccesskey", "secretkey", "securitytoken", "sessiontoken", "signature", "token", "userdata",
})  # fmt: skip
"""Names of fields whose values are never shown, without regard to case, `_` and `-`.

`Address` is sensitive as AWS spells it (a street); `address` is our own word (`site/one`) and is not.
"""


def is_sensitive(name: str) -> bool:
    """Whether a field of this name is blanked."""
    return name == "Address" or re.sub(r"[_-]", "", name).lower() in SENSITIVE


class Cleaner:
    """Makes a value plain enough for JSON, blanks what is sensitive and shortens what is long."""

    def __init__(self) -> None:
        self.cut = False

    def fields(self, mapping: Iterable[tuple[object, object]], depth: int) -> dict[str, Any]:
        """A mapping; if it tells of a sensitive path, as a drift does, its values are blanked as well."""
        items = [(self.text(str(key)), value) for key, value in mapping]
        path = next((value for key, value in items if key == "path" and isinstance(value, str)), "")
        secret = any(map(is_sensitive, re.split(r"[.\[\]]+", path)))
        hidden = {"wanted", "seen"} if secret else set()
        return {
            key: HIDDEN if self._hides(key, value, hidden) else self.value(value, depth)
            for key, value in items
        }

    def _hides(self, key: str, value: object, hidden: set[str]) -> bool:
        return value is not None and (key in hidden or is_sensitive(key))

    def value(self, value: object, depth: int) -> Any:
        """Any value; what JSON has no form for is shown by its text."""
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case str():
                return self.text(value)
            case bytes() | bytearray() | memoryview():
                return f"({len(value)} bytes)"
            case _ if depth >= _DEEPEST:
                self.cut = True
                return "…"
            case Mapping():
                return self.fields(value.items(), depth + 1)
            case list() | tuple():
                return [self.value(item, depth + 1) for item in value]
            case set() | frozenset():
                return sorted((self.value(item, depth + 1) for item in value), key=str)
            case _ if dataclasses.is_dataclass(value) and type(value).__str__ is object.__str__:
                return self.fields(_dataclass_items(value), depth + 1)
            case _:
                return self.text(str(value))

    def text(self, text: str) -> str:
        """A string, no longer than allowed and without half characters, which no encoder takes."""
        encoded = text.encode("utf-8", "backslashreplace")
        if len(encoded) <= LONGEST_STRING:
            return encoded.decode()
        self.cut = True
        return encoded[: LONGEST_STRING - len("…".encode())].decode("utf-8", "ignore") + "…"


def _dataclass_items(value: Any) -> Iterator[tuple[str, object]]:
    return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
