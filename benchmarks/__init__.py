"""What is measured, and how to repeat it: `python -m benchmarks.soak`.  The last figures are in docs/."""

import os

os.environ["EVERY_KIND"] = "yes"  # where tests try a few kinds, these try all: tests/conformance/fixture.py
