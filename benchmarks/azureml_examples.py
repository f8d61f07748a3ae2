"""Which pipeline files of the repository Azure/azureml-examples run here.

    PLUMBLINE_AZUREML_EXAMPLES=/path/to/azureml-examples python benchmarks/azureml_examples.py [--run]

Every pipeline file below ``cli/jobs`` is read and checked; with ``--run``, those whose data is in the checkout are run.
Many of them need data, components or models that only a cloud's workspace has: the table says which, with the line.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.errors import PlumblineError
from core.pipelines import StepState, load_pipeline, run_pipeline

_PIPELINE = re.compile(r"^(type:\s*pipeline\s*$|\$schema:.*pipelineJob\.schema)", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run the files that can be read")
    parser.add_argument("--files", default="", help="only files whose path contains this")
    options = parser.parse_args()
    root = Path(os.environ["PLUMBLINE_AZUREML_EXAMPLES"]) / "cli" / "jobs"
    files = sorted(path for path in root.rglob("*.y*ml") if _PIPELINE.search(path.read_text("utf-8", "replace")))
    counts: Counter[str] = Counter()
    print("| File | Result | Why |\n|---|---|---|")
    for path in files:
        name = path.relative_to(root).as_posix()
        if options.files not in name:
            continue
        result, reason = _outcome(path, run=options.run)
        counts[result] += 1
        print(f"| {name} | {result} | {reason.replace('|', '/')[:160]} |", flush=True)
    print(
        f"\n{sum(counts.values())} files: {', '.join(f'{count} {result}' for result, count in counts.most_common())}."
    )


def _outcome(path: Path, *, run: bool) -> tuple[str, str]:
    try:
        pipeline = load_pipeline(path)
    except PlumblineError as error:
        return "refused", error.message
    if not run:
        return "read", ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = run_pipeline(pipeline, workdir=folder)
        except PlumblineError as error:
            return "needs data", error.message
    failed = next((step for step in result.steps.values() if step.state is not StepState.SUCCEEDED), None)
    return ("runs", f"{result.elapsed_s:.1f} s") if failed is None else ("fails", failed.reason.replace("\n", " "))


if __name__ == "__main__":
    main()
