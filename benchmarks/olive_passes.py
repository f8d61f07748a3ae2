"""Olive's quantization of one ONNX file, run as a script by the Python that has Olive.

    python benchmarks/olive_passes.py FOLDER

FOLDER has `model.onnx` and `calibration.npz`, an array per input with all rows. The script leaves a file per pass, and
`passes.json`: its name, file, seconds, and the error of those that failed. The environment has Olive and ONNX Runtime,
not this project, so nothing else is imported here.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from olive.data.config import DataComponentConfig, DataConfig
from olive.data.registry import Registry
from olive.model import ONNXModelHandler
from olive.passes.olive_pass import create_pass_from_dict
from olive.passes.onnx.quantization import OnnxQuantization
from olive.passes.onnx.rtn_quantization import OnnxBlockWiseRtnQuantization
from olive.passes.onnx.transformer_optimization import OrtTransformersOptimization

PRODUCTS = ["MatMul", "Gemm", "Gather"]


class Rows:
    """Rows of the calibration, as a dataset of torch."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __getitem__(self, index: int) -> tuple[dict[str, Any], int]:
        return {name: array[index] for name, array in self.arrays.items()}, 0


def passes(folder: Path) -> dict[str, list[tuple[type, dict[str, Any]]]]:
    """Return the passes of each variant in their order: Olive's defaults, and what its guides set for BERT."""
    arrays = dict(np.load(folder / "calibration.npz"))
    Registry.register_dataset("calibration_rows")(lambda **_: Rows(arrays))
    data = DataConfig(
        name="calibration",
        load_dataset_config=DataComponentConfig(type="calibration_rows"),
        pre_process_data_config=DataComponentConfig(type="skip_pre_process"),
        post_process_data_config=DataComponentConfig(type="skip_post_process"),
        dataloader_config=DataComponentConfig(type="default_dataloader", params={"batch_size": 16}),
    )
    dynamic = (OnnxQuantization, {"quant_mode": "dynamic", "per_channel": True})
    static = {"quant_mode": "static", "data_config": data, "per_channel": True, "activation_type": "uint8"}
    fused = (OrtTransformersOptimization, {"model_type": "bert", "num_heads": 12, "hidden_size": 384, "opt_level": 0})
    return {
        "dynamic int8": [(OnnxQuantization, {"quant_mode": "dynamic"})],
        "dynamic int8 by channel": [dynamic],
        "static int8": [(OnnxQuantization, static)],
        "static int8 of products": [(OnnxQuantization, static | {"op_types_to_quantize": PRODUCTS})],
        "int4": [(OnnxBlockWiseRtnQuantization, {})],
        "int4, blocks of 32, level 4": [(OnnxBlockWiseRtnQuantization, {"block_size": 32, "accuracy_level": 4})],
        "fused": [fused],
        "fused, dynamic int8": [fused, dynamic],
        "fused, int4": [fused, (OnnxBlockWiseRtnQuantization, {"block_size": 32, "accuracy_level": 4})],
    }


def attempt(name: str, work: Callable[[], Path]) -> dict[str, Any]:
    """Run the passes of a variant; return what came of it."""
    began = time.perf_counter()
    try:
        path = work()
    except Exception as error:  # noqa: BLE001  (a pass that fails is a result)
        return {"name": name, "error": f"{type(error).__name__}: {str(error).strip()[:200]}"}
    return {"name": name, "file": path.name, "seconds": time.perf_counter() - began}


def main(folder: Path) -> None:
    """Run all passes."""
    results = []
    for number, (name, steps) in enumerate(passes(folder).items()):

        def work(number: int = number, steps: list[tuple[type, dict[str, Any]]] = steps) -> Path:
            model = ONNXModelHandler(model_path=str(folder / "model.onnx"))
            for step, (kind, values) in enumerate(steps):
                output = folder / f"work-{number}-{step}"
                model = create_pass_from_dict(kind, values, disable_search=True).run(model, str(output))
            target = folder / f"olive-{number}.onnx"
            shutil.copyfile(model.model_path, target)
            return target

        results.append(attempt(name, work))
    (folder / "passes.json").write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
