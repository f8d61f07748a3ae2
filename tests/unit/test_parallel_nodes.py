"""A function over items on several nodes of a Ray cluster: the results of a loop, also where a node is lost."""

import os
import time

import numpy as np
import pytest

from core.errors import InputError
from core.explain.deadline import Deadline
from core.explain.permutation import permutation_importance
from core.explain.speed import Speed
from core.parallel import executor, map_parallel
from tests.ray_nodes import ray_cluster
from tests.unit.explain.explain_models import model_of, odd_result

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def cluster():
    with ray_cluster() as nodes:
        nodes.add(cpus=1)
        nodes.add(cpus=1)
        patch = pytest.MonkeyPatch()
        for name, value in (nodes.variables() | {"RAY_ADDRESS": nodes.address}).items():
            patch.setenv(name, value)
        yield nodes
        patch.undo()


def test_both_nodes_work_and_the_results_are_those_of_a_loop(cluster):
    table, offset = np.arange(12.0).reshape(4, 3), 0.5

    def draw(seed, table):
        time.sleep(0.1)
        return float(np.random.default_rng(seed).permutation(table.ravel())[0] + offset)

    with executor(jobs=1, nodes=2, shared=(table,)) as parallel:
        assert parallel.count == 2
        assert parallel.map(draw, range(20)) == map_parallel(draw, range(20), jobs=1, shared=(table,))
        assert len(set(parallel.map(lambda *_: time.sleep(0.1) or os.getpid(), range(20)))) == 2


def test_an_error_on_a_node_keeps_its_words(cluster):
    def fail(item):
        if item == 7:
            raise InputError("Row 7 is empty.", "Fill it in.")
        time.sleep(0.1)

    with pytest.raises(InputError, match=r"Row 7 is empty\. Fill it in"):
        map_parallel(fail, range(20), jobs=1, nodes=2)


def test_columns_are_permuted_on_both_nodes_as_on_one(cluster):
    result, frame = odd_result("lgbm", "binary")
    model = model_of(result)
    X = model.encode(frame)
    y = (frame["target"] == "yes").to_numpy(dtype=np.intp)
    values = {"repeats": 3, "speed": Speed.measure(model.predict, X), "seed": 4}
    one, two = (
        permutation_importance(model, X, y, "roc_auc", deadline=Deadline.after(200), nodes=nodes, **values)[0]
        for nodes in (1, 2)
    )
    assert one["repeats"].tolist() == [3] * len(one)
    assert two.equals(one)


def test_what_a_lost_node_did_is_done_by_the_other(cluster):
    lost = cluster.add(cpus=1)

    def work(item):
        time.sleep(0.5)
        return item

    with executor(jobs=1, nodes=3) as parallel:
        assert parallel.count == 3
        assert parallel.map(work, range(3)) == [0, 1, 2]
        lost.kill()
        assert parallel.map(work, range(8)) == list(range(8))
        assert parallel.count == 2
