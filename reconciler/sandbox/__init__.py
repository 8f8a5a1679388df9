"""A local AWS: moto with Network Manager made whole and EC2 corrected, in process or as a server.

Used by the tests (`local_aws`) and by the command `sandbox` (`serve`). It knows nothing of the rest of the project.
"""

from . import early  # noqa: F401 - before moto's EC2 is imported by anything else
from .calls import Call
from .clock import Clock, HeldClock, RealClock
from .errors import AwsError
from .faults import Rule
from .faults.file import Rules, read_rules
from .faults.nodes import FaultsFileError
from .inprocess import LocalAws, local_aws
from .server import serve
from .settings import Delays, Settings

__all__ = [
    "AwsError",
    "Call",
    "Clock",
    "Delays",
    "FaultsFileError",
    "HeldClock",
    "LocalAws",
    "RealClock",
    "Rule",
    "Rules",
    "Settings",
    "local_aws",
    "read_rules",
    "serve",
]
