"""`python -m tests.sandbox.fidelity [--fetch]`: how many of the AWS CLI's samples the local AWS agrees with."""

from __future__ import annotations

import sys

from .package import HOW, VERSION, fetch, folder
from .replay import KNOWN, replay_all


def main() -> int:
    """Prints one line a sample and the sum; 1 if one differs that is not known to."""
    where = fetch() if "--fetch" in sys.argv[1:] else folder()
    if where is None:
        print(f"The samples of awscli {VERSION} are not here; {HOW}.")
        return 0
    verdicts = list(replay_all(where))
    unknown = 0
    for verdict in verdicts:
        operation = verdict.sample.operation
        print(f"{'agrees ' if verdict.agrees else 'differs'}  {operation}")
        if verdict.sample.unread:
            print(f"             not tried: {verdict.sample.unread}")
        for difference in verdict.found:
            reason = KNOWN.get(operation, {}).get(difference)
            unknown += reason is None
            print(f"             {difference}  ({reason or 'NOT KNOWN'})")
    agreeing = sum(verdict.agrees for verdict in verdicts)
    print(f"{agreeing} of {len(verdicts)} samples of awscli {VERSION} agree in every member.")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
