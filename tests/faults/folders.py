"""Configs as folders of files, and what happens to one of them.  Used by the tests of accidents."""

from __future__ import annotations

from pathlib import Path

from tests import documents


def split(text: str) -> dict[str, str]:
    """A config as a folder: its head, and a file for each kind."""
    whole = documents.load(text)
    resources = whole.pop("resources")
    files = {"00-stack.yaml": whole}
    for address, resource in resources.items():
        name = f"10-{address.partition('/')[0]}.yaml"
        files.setdefault(name, {"resources": {}})["resources"][address] = resource
    return {name: documents.dump(data) for name, data in files.items()}


def in_place(folder: Path, name: str, what: str) -> None:
    """An accident of one file."""
    file = folder / name
    data = file.read_bytes()
    file.unlink()
    match what:
        case "empty":
            file.write_bytes(b"")
        case "folder":
            file.mkdir()
        case "dangling":
            file.symlink_to(folder / "nowhere")
        case "half":
            file.write_bytes(data[: len(data) // 2])
        case "renamed":
            file.with_suffix(".yml").write_bytes(data)
