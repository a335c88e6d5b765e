"""What every instance of a server shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagemaker_local.aws_clients import AwsClients
from sagemaker_local.clock import Clock
from sagemaker_local.faults import FaultBoard
from sagemaker_local.instances.commands import ImageCommands
from sagemaker_local.instances.guardian import Guardian
from sagemaker_local.instances.logs import LogShipper
from sagemaker_local.instances.ports import PortReservations


@dataclass(frozen=True)
class InstanceHost:
    """The machine that instances live on.

    Attributes:
        directory: instances have their own directories below it.
        inherited: the variables of this process that every container gets.
    """

    clients: AwsClients
    clock: Clock
    guardian: Guardian
    images: ImageCommands
    shipper: LogShipper
    directory: Path
    inherited: Mapping[str, str]
    faults: FaultBoard = field(default_factory=FaultBoard)
    ports: PortReservations = field(default_factory=PortReservations)
