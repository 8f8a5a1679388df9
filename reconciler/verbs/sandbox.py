"""The verb `sandbox`: a local AWS."""

from __future__ import annotations

from reconciler.errors import ConfigError, ReconcilerError
from reconciler.model.place import Place, Problem
from reconciler.program import Program, UsageError


def sandbox(program: Program) -> int:
    """A local AWS."""
    try:
        from reconciler.sandbox import FaultsFileError, read_rules, serve
    except ImportError as error:
        raise ReconcilerError(
            f"the sandbox is not installed ({error}): pip install 'reconciler[sandbox]'"
        ) from error
    ready = program.options.ready_file
    if ready is not None and not ready.parent.is_dir():
        raise UsageError(f"--ready-file: there is no folder {ready.parent}")
    if ready is not None:
        ready.unlink(missing_ok=True)  # one that another sandbox has left leads nowhere
    path = program.options.faults
    try:
        rules = read_rules(path.read_text("utf-8"), str(path)) if path is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--faults: {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    except FaultsFileError as error:
        raise ConfigError(
            [
                Problem(Place(str(path), found.line, found.column), found.path, found.what, found.hint)
                for found in error.mistakes
            ]
        ) from error
    try:
        return serve(port=program.options.port, ready_file=ready, delays=program.options.delays, faults=rules)
    except OSError as error:
        raise ReconcilerError(f"the local AWS does not start: {error}") from error
