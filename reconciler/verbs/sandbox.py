"""The verb `sandbox`: a local AWS."""

from __future__ import annotations

from reconciler.errors import ReconcilerError
from reconciler.program import Program, UsageError


def sandbox(program: Program) -> int:
    """A local AWS."""
    try:
        from reconciler.sandbox import serve
    except ImportError as error:
        raise ReconcilerError(
            f"the sandbox is not installed ({error}): pip install 'reconciler[sandbox]'"
        ) from error
    ready = program.options.ready_file
    if ready is not None and not ready.parent.is_dir():
        raise UsageError(f"--ready-file: there is no folder {ready.parent}")
    try:
        return serve(port=program.options.port, ready_file=ready, delays=program.options.delays)
    except OSError as error:
        raise ReconcilerError(f"the local AWS does not start: {error}") from error
