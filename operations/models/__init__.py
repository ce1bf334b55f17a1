"""Rows of the control plane about work that spans the rooms."""

from operations.models.act import OperatorAct
from operations.models.backfill import Backfill, BackfillState, Progress
from operations.models.fleet import FleetRun, FleetState, SchemaVersion
from operations.models.move import Move, MoveStep
from operations.models.provisioning import Provisioning
from operations.models.shard_health import ShardHealth
from operations.models.signup import SignUp

__all__ = [
    "Backfill",
    "BackfillState",
    "FleetRun",
    "FleetState",
    "Move",
    "MoveStep",
    "OperatorAct",
    "Progress",
    "Provisioning",
    "SchemaVersion",
    "ShardHealth",
    "SignUp",
]
