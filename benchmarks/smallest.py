"""The search for the smallest variant beside Olive's quantization: the same model, rows and machine, in one run.

    python benchmarks/smallest.py [--model DIR] [--olive PYTHON] [--max-loss 0.02] [--rounds 4]

Asked: for each file that Olive makes, one of ours that is at least as fast (to 5%, in the same rounds) and not surely
less accurate (by the paired 95% interval).

MiniLM is fine-tuned on the product reviews first (about two minutes), or --model takes the folder of such a model. The
search runs as on the page, for the smallest file; then all files of both are measured in the same rounds, one thread,
held-out texts in their own lengths. --olive is the Python of an environment with Olive (`pip install olive-ai`);
without it that part is skipped. Run it on a quiet machine: the first line says whether it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.datasets import load_sample  # noqa: E402
from core.edge import HeldOut, Metadata, describe_graph, export_onnx  # noqa: E402
from core.edge.latency import LatencyReport, LatencySettings, Texts, measure_latency  # noqa: E402
from core.edge.smallest import SmallestSettings, SmallestTarget, find_smallest  # noqa: E402
from core.edge.variants.compare import compare_variants  # noqa: E402
from core.edge.variants.variants import scores  # noqa: E402
from core.evaluation import Estimate  # noqa: E402
from core.finetune import FineTuneSettings, fine_tune  # noqa: E402
from core.finetune.data import prepare  # noqa: E402

SETTINGS = FineTuneSettings(text_column="text", label_column="sentiment")
OLIVE = "/opt/peers/olive/bin/python"
CALIBRATION_ROWS = 256
WITHIN = 0.05
"""Share by which two latencies may differ, as the median over the rounds, and still count as equally fast."""


@dataclass
class Measured:
    """One file: who made it, its tokenizer, its answers, its loss against fp32, the latencies of all rounds."""

    name: str
    path: Path
    tokenizer: Path
    outputs: Any
    loss: Estimate
    changed: int
    reports: list[LatencyReport]

    @property
    def is_olive(self) -> bool:
        """Whether Olive made it."""
        return self.name.startswith("Olive")

    @property
    def median_ms(self) -> float:
        """The median of all requests of all rounds, milliseconds."""
        return float(np.median(np.concatenate([report.samples_ms for report in self.reports])))

    @property
    def rounds_ms(self) -> list[float]:
        """The median of each round."""
        return [report.median_ms for report in self.reports]


def reviews() -> Any:
    """Return the reviews that praise or complain."""
    frame = load_sample("product_reviews").frame
    return frame[frame["sentiment"] != "neutral"].reset_index(drop=True)


def olive_files(python: str, folder: Path, model: Path, feeds: dict[str, Any]) -> dict[str, Path]:
    """Return the files that Olive makes, by the name of its passes; those that fail are printed."""
    if not Path(python).is_file():
        print(f"Olive is skipped: there is no {python}; give --olive.")
        return {}
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model.read_bytes())
    np.savez(folder / "calibration.npz", **feeds)
    script = Path(__file__).with_name("olive_passes.py")
    done = subprocess.run([python, str(script), str(folder)], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        print(f"Olive is skipped: {done.stderr.strip().splitlines()[-1][:200]}")
        return {}
    files = {}
    for result in json.loads((folder / "passes.json").read_text(encoding="utf-8")):
        if "error" in result:
            print(f"Olive, {result['name']}: failed ({result['error']})")
        else:
            path = folder / result["file"]
            # Texts are then scored one by one, so that no other text is in the range of a text's activations.
            replace(Metadata.read(model), variant="dynamic-int8").write_copy(path, path)
            files[f"Olive {result['name']}"] = path
    return files


def calibration(tokenizer: Path, names: list[str], texts: list[str]) -> dict[str, Any]:
    """Return the inputs of some training texts, padded to 128 tokens."""
    from core.edge.scoring.encoder import Encoder

    return Encoder(tokenizer, names, 128, 128)(texts[:CALIBRATION_ROWS])


def measure(files: list[Measured], texts: list[str], rounds: int, length: int) -> None:
    """Measure all files in each round, beginning with another one each time."""
    settings = LatencySettings(warmup_s=0.4, duration_s=2.0)
    for number in range(rounds):
        for offset in range(len(files)):
            item = files[(number + offset) % len(files)]
            inputs = Texts(texts, item.tokenizer, length)
            item.reports.append(measure_latency(item.path, settings, inputs=inputs))


def show(files: list[Measured], full: Measured) -> None:
    """Print one line per file, the fastest first."""
    print(
        f"{'':34} {'size':>9} {'p50':>9} {'rounds':>14} {'speed-up':>8} {'loss of accuracy':>24} {'labels changed':>14}"
    )
    for item in sorted(files, key=lambda item: item.median_ms):
        low, high = min(item.rounds_ms), max(item.rounds_ms)
        loss = f"{100 * item.loss.value:+.2f} [{100 * (item.loss.low or 0):+.2f}, {100 * (item.loss.high or 0):+.2f}]"
        print(
            f"{item.name:34} {item.path.stat().st_size / 1e6:6.1f} MB {item.median_ms:6.2f} ms {low:6.2f}-{high:6.2f} "
            f"{full.median_ms / item.median_ms:7.2f}x {loss:>24} {item.changed:14d}"
        )


def slowdown(ours: Measured, theirs: Measured) -> float:
    """Return the median over the rounds of how much longer our file takes; both were measured in each."""
    return float(np.median([own / other for own, other in zip(ours.rounds_ms, theirs.rounds_ms, strict=True)]))


def judge(files: list[Measured], y: Any) -> bool:
    """Say for each file of Olive's which of ours is as fast and not surely less accurate, the smallest of them."""
    ours, passed = [item for item in files if not item.is_olive], True
    for theirs in (item for item in files if item.is_olive):
        matches = {}
        for item in ours:
            gain = compare_variants(y, theirs.outputs, item.outputs, task="binary").gains["accuracy"]
            if slowdown(item, theirs) <= 1 + WITHIN and (gain.high is None or gain.high >= 0):
                matches[item.name] = (item, gain)
        if not matches:
            passed = False
            print(f"{theirs.name:34} FALLS SHORT: none of ours is as fast at no more loss")
            continue
        item, gain = min(matches.values(), key=lambda pair: pair[0].path.stat().st_size)
        print(
            f"{theirs.name:34} ours: {item.name}, {1 / slowdown(item, theirs):.2f} times as fast, "
            f"{theirs.path.stat().st_size / item.path.stat().st_size:.2f} times smaller, accuracy "
            f"{100 * gain.value:+.2f} [{100 * (gain.low or 0):+.2f}, {100 * (gain.high or 0):+.2f}] points"
        )
    return passed


def main() -> int:
    """Search, measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of a fine-tuned text model")
    parser.add_argument("--olive", default=OLIVE, help="Python of an environment with Olive")
    parser.add_argument("--max-loss", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    frame = reviews()
    data = prepare(frame, SETTINGS)
    train, held = data.part(data.train), data.part(data.test)
    with tempfile.TemporaryDirectory(prefix="plumbline-benchmark-") as name:
        folder = Path(name)
        model = arguments.model or fine_tune(frame, SETTINGS, output_dir=folder / "finetune").model_dir
        length, tokenizer = SETTINGS.max_length, model / "tokenizer.json"
        exported = export_onnx(model, folder / "model.onnx", train=train, held_out=held, max_length=length)
        y = np.asarray(data.y[data.test])
        target = SmallestTarget(exported.path, train, HeldOut(held, y, "binary"), tokenizer=tokenizer)
        report = find_smallest(target, folder / "ours", SmallestSettings(max_loss=arguments.max_loss, percentile=50))
        machine = report.machine
        assert machine is not None
        print(
            f"{machine.cpu}, {machine.cores} cores; others took up to {machine.others_cpu or 0:.2f} of a core "
            f"({'BUSY: the figures are doubtful' if machine.busy else 'quiet'})"
        )
        print(f"{len(train):,} training texts, {len(held):,} held-out texts; at most {length} tokens")
        print(report.answer.sentence)
        for item in report.refused:
            print(f"refused: {item.variant}: {item.reason}")

        before = scores(exported.path, held, tokenizer)

        def measured(title: str, path: Path, own: Path) -> Measured:
            after = scores(path, held, own)
            gain = compare_variants(y, before, after, task="binary").gains["accuracy"]
            low, high = (None if bound is None else -bound for bound in (gain.high, gain.low))
            changed = int(np.count_nonzero(before.argmax(axis=1) != after.argmax(axis=1)))
            return Measured(title, path, own, after, Estimate(0.0 - gain.value, low, high, gain.n), changed, [])

        full = measured("fp32", exported.path, tokenizer)
        files = [full]
        for variant in report.variants[1:]:
            if variant.file is not None:
                own = tokenizer if variant.tokenizer is None else folder / "ours" / variant.tokenizer
                files.append(measured(variant.name, folder / "ours" / variant.file, own))
        names = [port.name for port in describe_graph(exported.path).inputs]
        feeds = calibration(tokenizer, names, train)
        for title, path in olive_files(arguments.olive, folder / "olive", exported.path, feeds).items():
            files.append(measured(title, path, tokenizer))
        measure(files, held, arguments.rounds, length)
        show(files, full)
        passed = judge(files, y)
    print("PASS" if passed else "FALLS SHORT")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
