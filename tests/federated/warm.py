"""What the processes of these tests have loaded before they are forked: imported by multiprocessing's fork server."""

from __future__ import annotations

import os

# Before NumPy loads: processes of one machine that wait for their turn on its cores should not spin.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import nvflare.fuel.f3.cellnet.core_cell  # noqa: E402, F401
import nvflare.fuel.f3.cellnet.utils  # noqa: E402, F401
import nvflare.fuel.f3.drivers.tcp_driver  # noqa: E402, F401

import core.federated.network.site_command  # noqa: E402
import core.federated.network.site_server  # noqa: E402
import core.federated.network.study_command  # noqa: E402, F401
from core.federated import FederatedSettings, federate  # noqa: E402
from tests.federated.tables import sites_table  # noqa: E402

# The first training loads what trainings need.
federate(sites_table(), FederatedSettings(target="ill", site_column="hospital", algorithm="linear", folds=0, pooled=False))
