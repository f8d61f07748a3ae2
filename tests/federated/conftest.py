"""Studies between processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing import forkserver, resource_tracker
from typing import Any

import pytest

from core.federated import FederatedResult, FederatedSettings, federate
from tests.federated.network_processes import Network
from tests.federated.tables import sites_table, write_tables

SETTINGS = FederatedSettings(
    target="ill", algorithm="linear", folds=0, pooled=False, sensitive_columns=("job", "age"), min_sites=2
)


@pytest.fixture(scope="session", autouse=True)
def _end_fork_server() -> Iterator[None]:
    """End what multiprocessing would leave until the interpreter ends."""
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> FederatedResult:
    """The same study as a simulation, of the same files."""
    from core.datasets import read_table

    paths = write_tables(tmp_path_factory.mktemp("tables"))
    return federate({site: read_table(path).frame for site, path in paths.items()}, SETTINGS)


@pytest.fixture(scope="module")
def make_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Network]]:
    """Make studies whose processes end with the module."""
    networks = []

    def make(settings: FederatedSettings = SETTINGS, **limits: Any) -> Network:
        networks.append(Network(tmp_path_factory.mktemp("network"), settings, **limits))
        return networks[-1]

    yield make
    for network in networks:
        network.close()


def predictions(result: FederatedResult) -> Any:
    return result.model.predict_proba(sites_table().drop(columns=["hospital", "ill"]))
