"""Fine-tuning and scoring on a GPU, in five minutes at most: precisions, speed beside the plain Trainer, ONNX Runtime.

Without a GPU, float32 and bf16 are compared on a processor that computes bf16 in hardware (AMX).

    python benchmarks/gpu.py [--rows 2000] [--base minilm-l6] [--seconds 300]

What is not there is skipped by name. Targets: bf16 and fp16 are not worse than float32 by
more than the interval of their difference allows, and at least as fast; ours is faster than the plain Trainer in the
same precision; ONNX Runtime's CUDA provider gives the CPU's answers within 1e-3.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.datasets import load_sample  # noqa: E402
from core.finetune import FineTuneResult, FineTuneSettings, fine_tune, quiet_transformers  # noqa: E402
from core.finetune.device import device_of  # noqa: E402

PRECISIONS = ("float32", "bf16", "fp16")
BATCH = 32
EPOCHS = 2
CLOSE = 1e-3


@dataclass(frozen=True)
class Trained:
    """What a training came to: rows per second, whether each test row was right, and the result."""

    rows_per_s: float
    right: np.ndarray
    result: FineTuneResult


def reviews(rows: int) -> pd.DataFrame:
    """Return positive and negative product reviews."""
    frame = load_sample("product_reviews").frame
    return frame[frame["sentiment"] != "neutral"].head(rows).reset_index(drop=True)


def settings_of(base: str, precision: str) -> FineTuneSettings:
    return FineTuneSettings(
        text_column="text",
        label_column="sentiment",
        base_model=base,
        epochs=EPOCHS,
        train_batch_size=BATCH,
        precision=precision,
    )


def ours(frame: pd.DataFrame, base: str, precision: str, folder: Path) -> Trained:
    result = fine_tune(frame, settings_of(base, precision), output_dir=folder)
    right = (result.test["sentiment"] == result.test["prediction"]).to_numpy()
    return Trained(result.samples_a_second, right, result)


def plain_trainer(frame: pd.DataFrame, base: str, precision: str, folder: Path) -> float:
    """Return rows per second of transformers' Trainer as its documentation has it, on the same training rows."""
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from core.finetune.base_model import resolve
    from core.finetune.build import build
    from core.finetune.data import prepare
    from core.finetune.device import on_one_device

    settings = settings_of(base, precision)
    data = prepare(frame, settings)
    with quiet_transformers():
        model, tokenizer = build(resolve(base), data.kind, data.labels, settings)
        encoded = tokenizer(data.part(data.train), padding="max_length", truncation=True, max_length=128)
        rows = [
            {name: values[index] for name, values in encoded.items()} | {"labels": int(data.y[row])}
            for index, row in enumerate(data.train)
        ]
        arguments = TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=BATCH,
            learning_rate=settings.learning_rate,
            use_cpu=not torch.cuda.is_available(),
            bf16=precision == "bf16",
            fp16=precision == "fp16",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        on_one_device(arguments)

        class Clock(TrainerCallback):
            """Leaves out the first steps, in which memory is allocated."""

            began, from_step = 0.0, 0

            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                if state.global_step == 5:
                    self.began, self.from_step = time.perf_counter(), 5

        clock = Clock()
        trainer = Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[clock])
        trainer.train()
        return (trainer.state.global_step - clock.from_step) * BATCH / (time.perf_counter() - clock.began)


def onnx_runtime(result: FineTuneResult, texts: list[str], folder: Path) -> None:
    """Print what the CUDA provider of ONNX Runtime answers, and how fast, beside the CPU's."""
    import onnxruntime

    from core.edge import export_onnx
    from core.finetune import load_text_model

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        print("ONNX Runtime     skipped: this build has no CUDA provider (pip install onnxruntime-gpu)")
        return
    model = export_onnx(result.model_dir, folder / "m.onnx", train=texts[:50], held_out=texts[50:100], max_length=128)
    tokenizer = load_text_model(result.model_dir)[1]
    encoded = tokenizer(texts[:BATCH], padding=True, truncation=True, max_length=128, return_tensors="np")
    feeds = {name: encoded[name].astype(np.int64) for name in model.inputs}
    answers, seconds = {}, {}
    for provider in ("CPUExecutionProvider", "CUDAExecutionProvider"):
        session = onnxruntime.InferenceSession(str(model.path), providers=[provider])
        if provider not in session.get_providers():
            print("ONNX Runtime     skipped: the CUDA provider did not start (its CUDA or cuDNN does not fit)")
            return
        for _ in range(10):
            answers[provider] = session.run(None, feeds)[0]
        times = []
        for _ in range(50):
            began = time.perf_counter()
            session.run(None, feeds)
            times.append(time.perf_counter() - began)
        seconds[provider] = float(np.median(times))
    cpu, cuda = answers.values()
    difference = float(np.abs(cpu - cuda).max())
    ratio = seconds["CPUExecutionProvider"] / seconds["CUDAExecutionProvider"]
    verdict = "PASS" if difference < CLOSE else "FALLS SHORT"
    print(
        f"ONNX Runtime     CUDA {ratio:.1f} times the CPU's speed for {BATCH} texts, "
        f"largest difference {difference:.1e} ({verdict})"
    )


def has(precision: str) -> bool:
    """Return whether this machine computes in a precision in hardware."""
    import torch

    if torch.cuda.is_available():
        return precision != "bf16" or torch.cuda.is_bf16_supported()
    return precision == "float32" or (precision == "bf16" and bool(torch.cpu.get_capabilities().get("amx_bf16")))


def main(rows: int, base: str, seconds: float) -> None:
    """Print what was measured, and what was skipped."""
    import torch

    began = time.perf_counter()
    gpus = torch.cuda.device_count()
    print(f"{device_of()[1]}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    print(f"GPUs             {gpus}" + (": each batch is shared out among them" if gpus > 1 else ""))
    frame = reviews(rows)
    trained: dict[str, Trained] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for precision in PRECISIONS:
            if not has(precision):
                print(f"{precision:16} skipped: this device does not have it")
                continue
            if time.perf_counter() - began > seconds * 0.7:
                print(f"{precision:16} skipped: {seconds:.0f} s are nearly used up")
                continue
            own = trained[precision] = ours(frame, base, precision, folder / precision)
            plain = plain_trainer(frame, base, precision, folder / f"plain-{precision}")
            print(
                f"{precision:16} {own.rows_per_s:8.0f} rows per second, plain Trainer {plain:8.0f}, "
                f"ratio {own.rows_per_s / plain:.1f}; accuracy {own.right.mean():.3f}"
            )
            if precision != "float32" and "float32" in trained:
                first = trained["float32"]
                gaps = own.right.astype(float) - first.right.astype(float)
                low, high = gaps.mean() + 1.96 * gaps.std() / len(gaps) ** 0.5 * np.array([-1, 1])
                verdict = "PASS" if high >= 0 and own.rows_per_s >= first.rows_per_s else "FALLS SHORT"
                print(
                    f"{'':16} minus float32: {gaps.mean():+.3f} [{low:+.3f}, {high:+.3f}], "
                    f"{own.rows_per_s / first.rows_per_s:.1f} times its speed ({verdict})"
                )
        if "float32" in trained:
            onnx_runtime(trained["float32"].result, frame["text"].tolist(), folder)
    print(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--base", default="minilm-l6")
    parser.add_argument("--seconds", type=float, default=300.0)
    chosen = parser.parse_args()
    main(chosen.rows, chosen.base, chosen.seconds)
