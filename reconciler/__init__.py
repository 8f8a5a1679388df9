"""Keeps an AWS estate (Network Manager, EC2) as a YAML config declares it.  Start reading at `loop.py`."""

__version__ = "0.1.0"
