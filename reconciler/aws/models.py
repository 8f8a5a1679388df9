"""botocore's loader of service models, which parses of a model what is asked for.  Used by `schema` and `session`.

A model of EC2 is four megabytes of JSON with some 4,500 shapes and operations, of which we use a tenth; parsed whole
by botocore's own loader it takes 16 MiB.  What is laid out in another way than botocore's files is parsed whole.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader

SECTIONS = ("operations", "shapes")
"""The members of a service model that are nearly all of it."""
MEMBER = b'\n    "'
"""How a member of a section begins.  A line break within a text is written as an escape: each is one of the layout."""


class Models(Loader):
    """A loader for all sessions and threads of a process: what two ask for at once is read once."""

    def __init__(self, paths: Collection[str]) -> None:
        super().__init__(list(paths), file_loader=Files(), include_default_search_paths=False)
        self._one_at_a_time = threading.RLock()

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """As botocore's."""
        with self._one_at_a_time:
            return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> Any:
        """As botocore's."""
        with self._one_at_a_time:
            return super().load_data_with_path(name)

    def list_available_services(self, type_name: str) -> Any:
        """The services; botocore asks whether one is among them, and would look through 400 folders for that."""
        return _Services(self, type_name)

    def all_services(self, type_name: str) -> list[str]:
        """The services as a list, as botocore finds them."""
        return list(super().list_available_services(type_name))


class _Services(Collection[str]):
    def __init__(self, loader: Models, type_name: str) -> None:
        self._loader, self._type = loader, type_name

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self._loader.list_api_versions(str(name), self._type))
        except DataNotFoundError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._loader.all_services(self._type))

    def __len__(self) -> int:
        return len(self._loader.all_services(self._type))


class Files(JSONFileLoader):
    """Reads files of JSON, in pieces where that can be done."""

    def load_file(self, file_path: str) -> Any:
        """What a file holds whose name is given without its ending; None where there is none."""
        for ending, unpacked in ((".json", bytes), (".json.gz", gzip.decompress)):
            path = Path(file_path + ending)
            if path.is_file():
                return parsed(unpacked(path.read_bytes()))
        return super().load_file(file_path)


def parsed(text: bytes) -> Any:
    """What a text of JSON says; large sections of a service model as `Pieces`."""
    found: dict[str, Pieces] = {}
    for name in SECTIONS:
        cut = _cut(text, name)
        if cut is not None:
            text, found[name] = cut
    whole = json.loads(text)
    return whole | found if found else whole


def _cut(text: bytes, section: str) -> tuple[bytes, Pieces] | None:
    """The text with a section left empty, and the section; None where it is not laid out so that it can be cut."""
    begin = re.search(rb'\n  "%s": ?\{(?=\n)' % section.encode(), text)
    end = text.find(b"\n  }", begin.end()) if begin else -1
    if begin is None or end < 0:
        return None
    pieces, start = Pieces(), begin.end()
    while start < end:
        following = text.find(MEMBER, start + 1, end)
        member = text[start : following if following > 0 else end]
        name, _, value = member.rstrip(b",").partition(b'":')
        if not name.startswith(MEMBER) or b"\\" in name or not value.endswith(b"}"):
            return None
        dict.__setitem__(pieces, name.removeprefix(MEMBER).decode(), value)
        start += len(member)
    return text[: begin.end()] + text[end:], pieces


class Pieces(dict[str, Any]):
    """Members of an object, each parsed when it is first asked for; until then its text is there instead."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if isinstance(found, bytes):  # no value of JSON is
            found = self[name] = json.loads(found)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The member, or what is to stand for it."""
        try:
            return self[name]
        except KeyError:
            return default

    def items(self) -> Any:
        """All members, parsed."""
        return {name: self[name] for name in self}.items()

    def values(self) -> Any:
        """The values of all members, parsed."""
        return {name: self[name] for name in self}.values()
