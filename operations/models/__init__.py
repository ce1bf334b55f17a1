"""Rows of the control plane about work that spans the rooms."""

from operations.models.act import OperatorAct
from operations.models.fleet import FleetState, SchemaVersion
from operations.models.provisioning import Provisioning
from operations.models.signup import SignUp

__all__ = ["FleetState", "OperatorAct", "Provisioning", "SchemaVersion", "SignUp"]
