"""Rows of the control plane about work that spans the rooms."""

from operations.models.act import OperatorAct
from operations.models.backfill import Backfill, BackfillState, Progress
from operations.models.fleet import FleetState
from operations.models.provisioning import Provisioning
from operations.models.signup import SignUp

__all__ = [
    "Backfill",
    "BackfillState",
    "FleetState",
    "OperatorAct",
    "Progress",
    "Provisioning",
    "SignUp",
]
