"""A training on several nodes of a cluster: Ray Train starts a process on each, and they share each batch out.

As on several GPUs, the batch keeps its rows and their order. Checkpoints come into the training's folder, on the node
of the run, before the processes continue, so that the training can be resumed there, on any number of nodes.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cluster import NODE_LABEL, connect_cluster
from core.datasets import Finding
from core.finetune.base_model import BaseModel
from core.finetune.exchange import STOP, empty_exchange, failure_of, new_events, reached_of, request_of
from core.finetune.job import Reached, TrainingJob
from core.finetune.node_worker import NodeTraining, Relay, train_on_node
from core.node_folder import content_digest, read_files, remove_unused

if TYPE_CHECKING:
    from core.cluster import Cluster

__all__ = ["NodesReached", "train_on_nodes"]

_WAIT_S = 10.0
_LOOK_EVERY_S = 0.2
_REMOVE_S = 3.0
_PROCESS_MB, _PER_MODEL = 800, 5
"""Memory of a process without its model, and how many times its weights it takes with gradients and the optimizer."""
_KEPT = ("checkpoints", "answers")  # folders of a training that a resumed one needs
_HINT = "Resume it, and it continues from its last checkpoint. The logs of Ray on the nodes have the output."


@dataclass(frozen=True)
class NodesReached:
    """A training that is over, and where it was.

    Parameters
    ----------
    reached : Reached or None
        The outcome; None where the cluster has no other node for it.
    nodes : int
        Number of nodes.
    findings : list of Finding
        Finding about nodes that were asked for and are not there.
    """

    reached: Reached | None
    nodes: int
    findings: list[Finding]


def train_on_nodes(job: TrainingJob, base: BaseModel) -> NodesReached:
    """Train in processes of as many nodes as the settings ask for, or as the cluster has free.

    Parameters
    ----------
    job : TrainingJob
        The model with its texts; the processes build the same one, and its weights become theirs.
    base : BaseModel
        Base model that the processes build the model from.

    Raises
    ------
    SettingsError
        When this process does not run on a cluster.
    StoppedError
        When the training was stopped before the end; the folder has a checkpoint.
    TrainingError
        When a process, or its node, ended without a result.
    """
    asked, rows = job.settings.nodes, job.settings.train_batch_size
    with connect_cluster(asked) as cluster:
        own_cores = cluster.own_cores()
        others = cluster.other_nodes()
        count = next(count for count in range(min(asked, 1 + len(others)), 0, -1) if rows % count == 0)
        free, others = 1 + len(others), others[: count - 1]
        cores = [min(own_cores, int(node.free_cores)) for node in others]
        node_ids = [node.id for node in others]
        memory_mb = _PROCESS_MB + _PER_MODEL * base.size_mb
        with cluster.reserve(cores, _WAIT_S, node_ids, memory_mb=memory_mb) as strategies:
            if len(strategies) < count - 1:
                count = 1
            findings = [] if count == asked else [_fewer_nodes(asked, count, free, rows)]
            if count == 1:
                return NodesReached(None, 1, findings)
            threads = job.settings.threads or min([own_cores, *cores])
            reached = _train(job, base, cluster, [cluster.node_id, *node_ids], threads)
    return NodesReached(reached, count, findings)


def _train(job: TrainingJob, base: BaseModel, cluster: Cluster, node_ids: list[str], threads: int) -> Reached:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ray = cluster.ray
    folder = empty_exchange(job.folder.path / "nodes")
    here = NodeAffinitySchedulingStrategy(cluster.node_id, soft=False)
    relay = ray.remote(num_cpus=0)(Relay).options(scheduling_strategy=here)
    base_files = _files_below(Path(str(base.path)), ["."])
    digest = content_digest(base_files)
    given: NodeTraining = {
        "request": request_of(job, base),
        "relay": relay.remote(str(job.folder.path.resolve()), str(folder.resolve())),
        "base": ray.put(base_files),
        "training": ray.put(_files_below(job.folder.path, _KEPT)),
        "digest": digest,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Ray about its own parts
            problem = _fit(_trainer(job, given, node_ids, threads, folder), job, folder)
    finally:
        cluster.run_on(node_ids, remove_unused, f"base-{digest}", _REMOVE_S)
    reached = reached_of(job, folder)
    if reached is None:
        raise failure_of(folder, len(node_ids), _HINT, str(problem))
    return reached


def _trainer(job: TrainingJob, given: NodeTraining, node_ids: list[str], threads: int, folder: Path) -> Any:
    """Return Ray's trainer: a process per node, which trains on its processor, as no GPU is kept for it."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    # The cores are kept already, and those of the run's own node are the run's: a byte of memory is asked for.
    scaling = ScalingConfig(
        num_workers=len(node_ids),
        resources_per_worker={"memory": 1},
        placement_strategy="SPREAD",
        label_selector=[{NODE_LABEL: node_id} for node_id in node_ids],
    )
    return TorchTrainer(
        train_on_node,
        train_loop_config=dict(given),
        scaling_config=scaling,
        run_config=RunConfig(
            name="training",
            storage_path=str((folder / "ray").resolve()),
            worker_runtime_env={"env_vars": {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}},
            # By default Ray tries for ever. What was lost is resumed by whoever reads why, from the last checkpoint.
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0, max_preemption_failures=0),
        ),
    )


def _fit(trainer: Any, job: TrainingJob, folder: Path) -> Exception | None:
    """Let the processes work, and pass on what the first one reports; return what Ray says of a failure."""
    problems: list[Exception] = []

    def fit() -> None:
        try:
            trainer.fit()
        except Exception as error:  # noqa: BLE001  (of Ray or of a process; the exchange has the typed one)
            problems.append(error)

    thread = threading.Thread(target=fit, daemon=True)
    thread.start()
    events = new_events(folder)
    while thread.is_alive():
        if job.should_stop():
            (folder / STOP).touch()
        for event in next(events):
            job.report(event)
        time.sleep(_LOOK_EVERY_S)
    for event in next(events):
        job.report(event)
    return problems[0] if problems else None


def _files_below(folder: Path, parts: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Return the content of all files in parts of a folder, by their path in it."""
    files = [Path(root) / name for part in parts for root, _, names in os.walk(folder / part) for name in names]
    names = [file.relative_to(folder).as_posix() for file in files]
    names += [file.name for file in folder.glob("history.jsonl") if file.name not in names]
    return read_files(folder, names)


def _fewer_nodes(asked: int, count: int, free: int, rows: int) -> Finding:
    reason = "no other nodes of the cluster had a free core"
    if free > count > 1:
        reason = f"{free} were free, which cannot share the {rows} texts of a batch evenly"
    return Finding(
        "nodes",
        "notice",
        None,
        f"The training worked on {count} of {asked} nodes: {reason}.",
        "Start it when the cluster has less to do, or add nodes to the cluster.",
        {"asked": asked, "nodes": count},
    )
