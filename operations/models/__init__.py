"""Rows of the control plane about work that spans the rooms."""

from operations.models.act import OperatorAct
from operations.models.backfill import Backfill, BackfillState, Progress
from operations.models.backup import BaseBackup, Restore, RestoreDrill, RestoreStep
from operations.models.fleet import FleetRun, FleetState, SchemaVersion
from operations.models.joining import JoiningStep
from operations.models.leaving import Erasure, ErasureStep, Export, ExportStep, Return, ReturnStep
from operations.models.merge import Merge
from operations.models.move import Move, MoveStep
from operations.models.provisioning import Provisioning
from operations.models.shard_health import ShardHealth
from operations.models.signup import SignUp
from operations.models.split import Split

__all__ = [
    "Backfill",
    "BackfillState",
    "BaseBackup",
    "Erasure",
    "ErasureStep",
    "Export",
    "ExportStep",
    "FleetRun",
    "FleetState",
    "JoiningStep",
    "Merge",
    "Move",
    "MoveStep",
    "OperatorAct",
    "Progress",
    "Provisioning",
    "Restore",
    "RestoreDrill",
    "RestoreStep",
    "Return",
    "ReturnStep",
    "SchemaVersion",
    "ShardHealth",
    "SignUp",
    "Split",
]
