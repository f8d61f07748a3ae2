"""What a monitor does with what the worker of a sandbox sends: a closed list, for one run, whatever comes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct

import pytest

from core.access import LOCAL, Access
from core.catalog import Alert, Dataset, ModelVersion, RunArtifact, RunState, alerts, artifacts, datasets, models, runs
from core.catalog import Run as RunRow
from core.catalog.clock import database_now
from core.errors import DeniedError, JobError, NotFoundError, StorageError
from core.jobs.sandbox import wire
from core.jobs.sandbox.broker import Broker
from core.jobs.sandbox.client import BrokeredStore, Client
from core.jobs.sandbox.folders import RunFolders
from core.jobs.sandbox.limits import SandboxLimits
from core.jobs.sandbox.operations import OPERATIONS
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store

OTHER = Access.engine("another")


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("broker") / "home") as folder:
        yield folder


@pytest.fixture
def brokered(home):
    """A run, and a connection to a broker that works for it."""
    run = RunRow(workspace="local", task="count", state=RunState.RUNNING, claim_token="claim")
    run.lease_until = database_now() + 600
    runs.add(run, access=LOCAL)
    folders = RunFolders(run, get_settings())
    folders.prepare()
    ours, theirs = socket.socketpair()
    broker = Broker(run, "claim", ours, folders, SandboxLimits(100, 1, 10, None))
    broker.start()
    with theirs:
        yield run, theirs
    broker.join(10)
    assert not broker.is_alive()
    runs.change_state(run.id, [RunState.RUNNING], RunState.CANCELLED, access=LOCAL)


def call(connection: socket.socket, name: str, *args, **kwargs):
    function = OPERATIONS[name].function
    return Client(connection)._call(name, function)(*args, **kwargs)


def test_every_operation_knows_the_types_of_its_parameters():
    assert len(OPERATIONS) > 30
    for operation in OPERATIONS.values():
        operation.signature()


@pytest.mark.parametrize(
    "message",
    [
        b"\xff" * 40,
        struct.pack("!I", 5) + b"[1,2]",
        struct.pack("!I", 3) + b"{}}",
        struct.pack("!I", 2_000_000_000),
        struct.pack("!I", 200_000) + b"[" * 200_000,
        b"\x00",
    ],
)
def test_what_is_not_a_message_ends_the_connection(brokered, message):
    _, connection = brokered
    connection.sendall(message)
    connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionResetError):
        assert connection.recv(10) == b""


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"do": "run"},
        {"do": "fetch"},
        {"do": "fetch", "digest": "../../catalog.db"},
        {"do": "fetch", "digest": ["x"]},
        {"do": "put"},
        {"do": "call", "name": "os:system", "args": ["true"], "kwargs": {}},
        {"do": "call", "name": "core.catalog.runs:get", "args": [], "kwargs": {}},
        {"do": "call", "name": "core.catalog.runs:get", "args": [["x"]], "kwargs": {}},
        {"do": "call", "name": "core.catalog.runs:get", "args": ["x"], "kwargs": {"access": "admin"}},
        {"do": "call", "name": "core.catalog.runs:get", "args": [{"$type": "Path", "values": {}}], "kwargs": {}},
        {"do": "call", "name": "core.catalog.runs:add", "args": [{"$type": "Run", "values": {"id": 1}}], "kwargs": {}},
        {"do": "outcome", "error": 7},
    ],
)
def test_what_is_not_on_the_list_is_an_error_and_the_next_message_is_answered(brokered, message):
    run, connection = brokered
    wire.send(connection, message)
    answer, _ = wire.receive(connection)
    assert answer is not None
    assert answer["error"]["message"]
    wire.send(connection, {"do": "begin"})
    answer, _ = wire.receive(connection)
    assert wire.decode(answer["value"]["run"]).id == run.id


def test_a_content_comes_as_an_open_file_and_is_copied(brokered, tmp_path):
    _, connection = brokered
    store = BrokeredStore(Client(connection))
    digest = store.put_bytes(b"a result")
    assert get_store().read_bytes(digest) == b"a result" == store.read_bytes(digest)
    read, write = os.pipe()
    os.write(write, b"endless")
    with pytest.raises(Exception, match="regular files only"):
        Client(connection).ask("put", file=read)
    os.close(read)
    os.close(write)
    large = tmp_path / "large"
    large.write_bytes(bytes(2 << 20))
    with pytest.raises(Exception, match="more than 1 MB"):
        store.put_file(large)
    with pytest.raises(StorageError, match="may not delete"):
        store.delete(digest)


def test_contents_of_other_workspaces_are_not_there_whatever_row_names_them(brokered):
    run, connection = brokered
    digest = get_store().put_bytes(b"theirs")
    theirs = runs.add(RunRow(workspace="another", task="count", state=RunState.SUCCEEDED), access=OTHER)
    artifacts.add(
        RunArtifact(workspace="another", run_id=theirs.id, name="x", digest=digest, size_bytes=6), access=OTHER
    )
    store = BrokeredStore(Client(connection))
    assert not store.exists(digest)
    with pytest.raises(NotFoundError):
        store.local_path(digest)
    own = RunArtifact(workspace="local", run_id=run.id, name="x", digest=digest, size_bytes=6)
    with pytest.raises(NotFoundError):
        call(connection, "core.catalog.artifacts:add", own)
    values = {"rows": 1, "columns": 1, "size_bytes": 1, "fingerprint": "0" * 64, "name": "x", "workspace": "local"}
    for row in (
        Dataset(data_digest=digest, profile_digest=store.put_bytes(b"1"), **values),
        Dataset(data_digest=store.put_bytes(b"2"), profile_digest=digest, **values),
    ):
        with pytest.raises(NotFoundError):
            call(connection, "core.catalog.datasets:add", row)
    assert datasets.find(access=LOCAL) == []
    assert artifacts.find(run.id, access=LOCAL) == []
    with pytest.raises(Exception, match="another workspace"):
        call(
            connection,
            "core.catalog.artifacts:add",
            RunArtifact(workspace="another", run_id=run.id, name="x", digest=digest, size_bytes=6),
        )


def test_a_run_raises_alerts_of_its_own_and_no_others(brokered):
    run, connection = brokered
    version = ModelVersion(workspace="local", model_id="", run_id=run.id, kind="table")
    model, _, _ = models.add_version("Churn", version, access=LOCAL)
    values = {"model_id": model.id, "event": "drift/1", "title": "Drift"}
    own = Alert(workspace="local", run_id=run.id, **values)
    stored, new = call(connection, "core.catalog.alerts:add", own)
    assert (stored.id, new) == (own.id, True)
    assert not call(connection, "core.catalog.alerts:add", Alert(workspace="local", run_id=run.id, **values))[1]
    for other, words in (
        (Alert(workspace="local", run_id="1" * 16, **values), "of its own only"),
        (Alert(workspace="another", run_id=run.id, **values), "another workspace"),
        (Alert(workspace="local", run_id=run.id, raised_at=1.0, **values), "of now only"),
        (Alert(workspace="local", run_id=run.id, raised_at=float("nan"), **values), "of now only"),
    ):
        with pytest.raises(DeniedError, match=words):
            call(connection, "core.catalog.alerts:add", other)
    assert [row.id for row in alerts.find(access=LOCAL)] == [own.id]


def test_a_worker_whose_run_was_taken_over_writes_nothing(brokered):
    run, connection = brokered
    call(connection, "core.catalog.events:append", run.id, Event("x", 0.5))
    runs.set_fields(run.id, [RunState.RUNNING], claim_token="of another attempt", access=LOCAL)
    with pytest.raises(JobError, match="taken its place"):
        call(connection, "core.catalog.events:append", run.id, Event("x", 0.5))
    with pytest.raises(JobError, match="taken its place"):
        call(connection, "core.catalog.runs:set_fields", run.id, [RunState.RUNNING], title="late")


def test_values_survive_the_way():
    run = RunRow(workspace="local", task="count", settings={"$type": "Run", "x": [1, None]}, state=RunState.QUEUED)
    for value in ((1, "a", None), {"a"}, [run], {"$type": {"a": (1, 2)}}, {"x": 0.1}):
        assert wire.decode(json.loads(json.dumps(wire.encode(value)))) == value
    with pytest.raises(JobError, match="object"):
        wire.encode(object())
