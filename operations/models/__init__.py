"""Rows of the control plane about work that spans the rooms."""

from operations.models.provisioning import Provisioning

__all__ = ["Provisioning"]
