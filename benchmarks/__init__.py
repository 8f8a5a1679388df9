"""What is measured, and how to repeat it: `python -m benchmarks.soak`.  The last figures are in docs/."""
