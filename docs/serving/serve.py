"""A bundle behind the Open Inference Protocol, which KServe calls V2.

    pip install -r requirements.txt fastapi uvicorn
    BUNDLE=. uvicorn serve:app --port 8080

Put this file into the unpacked bundle, or beside it (BUNDLE names its folder). A request has one input per column, of
shape [n], with its cells as BYTES written as in the training file, or as numbers; a text model has the input "text",
and one of pairs also "second_text". The answer has the labels, the probabilities of the classes in their order, or the
number, and the decisions of the bundle's policy where it has one.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(os.environ.get("BUNDLE", ".")).resolve()
sys.path.insert(0, str(FOLDER))

from portable.cells import CellError  # noqa: E402
from portable.cli import answer  # noqa: E402
from portable.model import EdgeModel  # noqa: E402

NAME = os.environ.get("MODEL_NAME", FOLDER.name)
MAX_ROWS = 100_000
NUMBERS = {"FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}
MODEL = EdgeModel(FOLDER)
TEXT = MODEL.kind == "text"
app = FastAPI(title=NAME, docs_url=None, redoc_url=None)


class Tensor(BaseModel):
    """An input of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Wanted(BaseModel):
    """An output that a request asks for."""

    model_config = ConfigDict(extra="allow")
    name: str


class InferenceRequest(BaseModel):
    """A request as the protocol defines it; its parameters have no effect."""

    model_config = ConfigDict(extra="allow")
    id: str | None = None
    inputs: list[Tensor] = Field(min_length=1)
    outputs: list[Wanted] | None = None


class RequestError(ValueError):
    """A request that cannot be answered."""


@app.exception_handler(RequestError)
@app.exception_handler(CellError)
def refused(_request: Request, error: Exception) -> JSONResponse:
    """Answer as the protocol asks for."""
    return JSONResponse({"error": str(error)}, 400)


@app.exception_handler(RequestValidationError)
def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer as the protocol asks for; the input is not repeated."""
    first = error.errors()[0]
    return JSONResponse({"error": f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"}, 400)


def columns() -> list[str]:
    """Return the names of the inputs that a request must have."""
    if not TEXT:
        return MODEL.required_before_steps
    return ["text", *(["second_text"] if MODEL.pairs else []), *(MODEL.rules.columns if MODEL.rules else [])]


def outputs() -> list[dict[str, Any]]:
    """Return what an answer has."""
    if MODEL.labels is None:
        tensors = [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]
    else:
        tensors = [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(MODEL.labels)]},
        ]
    return [*tensors, *([{"name": "decision", "datatype": "INT64", "shape": [-1]}] if MODEL.rules else [])]


@app.get("/v2")
def server() -> dict[str, Any]:
    return {"name": "plumbline-bundle", "version": "1", "extensions": []}


@app.get("/v2/health/live")
def live() -> dict[str, bool]:
    return {"live": True}


@app.get("/v2/health/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}


def known(name: str) -> None:
    """Refuse another model's name."""
    if name != NAME:
        raise RequestError(f"Unknown model '{name}': this server has '{NAME}'.")


@app.get("/v2/models/{name}")
def metadata(name: str) -> dict[str, Any]:
    known(name)
    inputs = [{"name": column, "datatype": "BYTES", "shape": [-1]} for column in columns()]
    labels = None if MODEL.labels is None else [str(label) for label in MODEL.labels]
    return {
        "name": NAME,
        "versions": ["1"],
        "platform": "onnx_onnxruntime",
        "inputs": inputs,
        "outputs": outputs(),
        "parameters": {"labels": labels},
    }


@app.get("/v2/models/{name}/ready")
def model_ready(name: str) -> dict[str, Any]:
    known(name)
    return {"name": NAME, "ready": True}


def cell(value: Any, decimal: str) -> str:
    """Return a value as a cell of a file; a missing one is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "" if np.isnan(value) else np.format_float_positional(value, trim="-").replace(".", decimal)
    if isinstance(value, str):
        return value
    raise RequestError(f"{value!r} is not a cell: give texts, numbers, true or false, or null.")


def cells_of(tensor: Tensor, rows: int) -> list[str]:
    """Return the cells of a column."""
    data = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in tensor.data]
    if tensor.shape not in ([rows], [rows, 1]) or len(data) != rows:
        raise RequestError(
            f"'{tensor.name}' has the shape {tensor.shape} and {len(data):,} values; the first input has {rows:,} rows."
        )
    if tensor.datatype not in NUMBERS | {"BYTES", "BOOL"}:
        raise RequestError(f"'{tensor.name}' has the datatype '{tensor.datatype}', which the protocol does not have.")
    column = next((column for column in MODEL.columns if column["name"] == tensor.name), {})
    decimal = (column.get("written") or {}).get("decimal", ".")
    return [cell(value, decimal) for value in data]


@app.post("/v2/models/{name}/infer")
@app.post("/v2/models/{name}/versions/1/infer")
def infer(name: str, request: InferenceRequest) -> dict[str, Any]:
    known(name)
    rows = request.inputs[0].shape[0] if request.inputs[0].shape else 0
    if not 0 < rows <= MAX_ROWS:
        raise RequestError(f"A request has 1 to {MAX_ROWS:,} rows, not {rows:,}.")
    names = [tensor.name for tensor in request.inputs]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise RequestError(f"The input '{twice[0]}' is there {names.count(twice[0])} times.")
    missing = [column for column in columns() if column not in names]
    if missing and not (MODEL.steps and set(MODEL.required) <= set(names)):
        raise RequestError(f"The request has no input {', '.join(map(repr, missing[:5]))}.")
    given = {tensor.name: cells_of(tensor, rows) for tensor in request.inputs}
    answers = answer(MODEL, given if TEXT else MODEL.prepare(given))
    values: dict[str, Any] = {"decision": answers.decisions}
    if answers.labels is None:
        values["prediction"] = answers.outputs[:, 0].tolist()
    else:
        values["label"] = [str(label) for label in answers.labels]
        values["probabilities"] = answers.outputs.reshape(-1).tolist()
    wanted = {output.name for output in request.outputs or []}
    unknown = sorted(wanted - {tensor["name"] for tensor in outputs()})
    if unknown:
        raise RequestError(
            f"Unknown output '{unknown[0]}': choose from {', '.join(tensor['name'] for tensor in outputs())}."
        )
    tensors = [
        tensor | {"shape": [rows, *tensor["shape"][1:]], "data": values[tensor["name"]]}
        for tensor in outputs()
        if not wanted or tensor["name"] in wanted
    ]
    return {"model_name": NAME, "model_version": "1", "id": request.id, "outputs": tensors}
