"""What the processes of these tests have loaded before they are forked: imported by multiprocessing's fork server."""

from __future__ import annotations

import os

# Before NumPy loads: processes of one machine that wait for their turn on its cores should not spin.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import nvflare.fuel.f3.cellnet.core_cell
import nvflare.fuel.f3.cellnet.utils
import nvflare.fuel.f3.drivers.tcp_driver  # noqa: F401

import core.federated.network.site_command
import core.federated.network.site_server
import core.federated.network.study_command  # noqa: F401
from core.federated import FederatedSettings, federate
from tests.federated.tables import sites_table

# The first training loads what trainings need.
federate(
    sites_table(), FederatedSettings(target="ill", site_column="hospital", algorithm="linear", folds=0, pooled=False)
)
