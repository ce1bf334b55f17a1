"""Rows of the control plane about work that spans the rooms."""

from operations.models.act import OperatorAct
from operations.models.backup import BaseBackup, Restore, RestoreDrill, RestoreStep
from operations.models.fleet import FleetState
from operations.models.provisioning import Provisioning
from operations.models.signup import SignUp

__all__ = [
    "BaseBackup",
    "FleetState",
    "OperatorAct",
    "Provisioning",
    "Restore",
    "RestoreDrill",
    "RestoreStep",
    "SignUp",
]
