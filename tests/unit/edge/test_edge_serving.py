"""The example that puts a bundle behind the Open Inference Protocol answers as the bundle does, over HTTP."""

from __future__ import annotations

import csv
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from core.edge import export_onnx, write_bundle
from core.fairness import optimize_thresholds
from tests.unit.edge.edge_models import adult_model, minilm_tokenizer, reviews, tiny_bert
from tests.unit.edge.test_edge_bundle import run

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = pytest.mark.filterwarnings("ignore")
EXAMPLE = Path(__file__).parents[3] / "docs" / "serving" / "serve.py"


def serve(folder: Path) -> Iterator[httpx.Client]:
    """Start the example in a bundle's folder, and yield a client of it."""
    shutil.copy(EXAMPLE, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = open(folder / "log", "wb")  # noqa: SIM115  (closed below)
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "serve:app", "--port", str(port)], cwd=folder, stdout=log, stderr=log
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/v2", timeout=30) as client:
            deadline = time.monotonic() + 60
            while True:
                try:
                    assert client.get("/health/ready").json() == {"ready": True}
                    break
                except httpx.ConnectError:
                    assert process.poll() is None, (folder / "log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield client
    finally:
        process.kill()
        process.wait()
        log.close()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked bundle of a model of Adult, with a policy that draws."""
    folder = tmp_path_factory.mktemp("bundle")
    model, train, others, y = adult_model()
    policy = optimize_thresholds(
        y[: len(train)] == ">50K", model.predict_proba(train)[:, 1], train["sex"], constraint="equalized_odds"
    )
    exported = export_onnx(model, folder / "m.onnx", train=train, held_out=others, policy=policy, target="income")
    write_bundle(folder / "b.zip", exported, sample=others.head(50), card="", license="")
    with zipfile.ZipFile(folder / "b.zip") as archive:
        archive.extractall(folder / "credit")
    return folder / "credit"


@pytest.fixture(scope="module")
def client(table: Path) -> Iterator[httpx.Client]:
    yield from serve(table)


@pytest.fixture(scope="module")
def cells(table: Path) -> dict[str, list[str]]:
    """The cells of the bundle's sample."""
    with open(table / "sample_input.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def tensors(cells: dict[str, list[Any]], datatype: str = "BYTES") -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": [len(values)], "datatype": datatype, "data": values} for name, values in cells.items()
    ]


def outputs(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {tensor["name"]: np.array(tensor["data"]).reshape(tensor["shape"]) for tensor in answer.json()["outputs"]}


def test_it_says_what_it_takes_and_answers(client, cells):
    said = client.get("/models/credit").json()
    assert {tensor["name"] for tensor in said["inputs"]} <= set(cells)
    assert [tensor["name"] for tensor in said["outputs"]] == ["label", "probabilities", "decision"]
    assert said["parameters"]["labels"] == ["<=50K", ">50K"]
    assert client.get("/models/credit/ready").json()["ready"]
    assert client.get(str(client.base_url).rstrip("/")).json()["name"] == "plumbline-bundle"


def test_rows_are_answered_as_by_the_command(client, cells, table, tmp_path):
    done = run(table, table / "sample_input.csv", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    expected = pd.read_csv(tmp_path / "out.csv")
    answered = outputs(client.post("/models/credit/infer", json={"id": "7", "inputs": tensors(cells)}))
    assert answered["label"].tolist() == expected["label"].tolist()
    assert answered["decision"].tolist() == expected["decision"].tolist()
    columns = [f"p({label})" for label in ("<=50K", ">50K")]
    assert answered["probabilities"] == pytest.approx(expected[columns].to_numpy(), abs=1e-7)


def test_numbers_are_taken_as_numbers_and_a_missing_cell_is_null(client, cells):
    texts = outputs(client.post("/models/credit/infer", json={"inputs": tensors(cells)}))
    whole = [name for name, values in cells.items() if all(value.isdigit() for value in values) and name != "row_id"]
    assert whole
    numbers = cells | {name: [int(value) for value in cells[name]] for name in whole}
    answered = outputs(client.post("/models/credit/infer", json={"inputs": tensors(numbers)}))
    assert answered["probabilities"] == pytest.approx(texts["probabilities"])
    empty = cells | {whole[0]: [None, *cells[whole[0]][1:]]}
    as_text = cells | {whole[0]: ["", *cells[whole[0]][1:]]}
    null, blank = (
        outputs(client.post("/models/credit/infer", json={"inputs": tensors(values)})) for values in (empty, as_text)
    )
    assert null["probabilities"] == pytest.approx(blank["probabilities"])


def test_one_output_may_be_asked_for(client, cells):
    body = {"inputs": tensors(cells), "outputs": [{"name": "label"}]}
    assert list(outputs(client.post("/models/credit/infer", json=body))) == ["label"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda inputs: inputs[1:], "The request has no input '"),
        (lambda inputs: [*inputs, inputs[0]], "is there 2 times"),
        (lambda inputs: [{**inputs[0], "shape": [3]}, *inputs[1:]], "the first input has 3 rows"),
        (lambda inputs: [{**inputs[0], "data": ["old", *inputs[0]["data"][1:]]}, *inputs[1:]], "holds 'old'"),
        (lambda inputs: [{**inputs[0], "data": [{}, *inputs[0]["data"][1:]]}, *inputs[1:]], "is not a cell"),
        (lambda inputs: [{**inputs[0], "datatype": "STRING"}, *inputs[1:]], "which the protocol does not have"),
        (lambda inputs: [{**inputs[0], "shape": []}, *inputs[1:]], "A request has 1 to 100,000 rows, not 0"),
        (lambda _: [], "inputs: List should have at least 1 item"),
        (lambda inputs: [{"name": "age"}], "inputs.0.shape: Field required"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(client, cells, change, message):
    first = {"age": cells["age"]} | cells
    refused = client.post("/models/credit/infer", json={"inputs": change(tensors(first))})
    assert refused.status_code == 400
    assert message in refused.json()["error"]


def test_another_model_is_not_here(client, cells):
    refused = client.post("/models/other/infer", json={"inputs": tensors(cells)})
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        "Unknown model 'other': this server has 'credit'.",
    )


def test_texts_are_answered_too(tmp_path):
    tiny_bert(tmp_path, minilm_tokenizer())
    texts = reviews(30)
    model = export_onnx(tmp_path, tmp_path / "m.onnx", train=texts[:20], held_out=texts[20:], max_length=48)
    write_bundle(
        tmp_path / "b.zip", model, sample=texts[:10], card="", license="", tokenizer=tmp_path / "tokenizer.json"
    )
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    for client in serve(tmp_path / "bundle"):
        sample = pd.read_csv(tmp_path / "bundle" / "sample_input.csv")["text"].tolist()
        answered = outputs(client.post("/models/bundle/infer", json={"inputs": tensors({"text": sample})}))
        expected = pd.read_csv(tmp_path / "bundle" / "expected_output.csv")
        assert answered["label"].tolist() == expected["label"].tolist()
        refused = client.post("/models/bundle/infer", json={"inputs": tensors({"review": texts[:10]})})
        assert "has no input 'text'" in refused.json()["error"]
