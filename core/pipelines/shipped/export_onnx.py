"""``export_onnx``: a model as an ONNX file that answers as the model does."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.files import write_text
from core.jsonable import jsonable
from core.pipelines.shipped.command import Arguments, log, run_component, write_report
from core.pipelines.shipped.model_folder import ModelFolder
from core.pipelines.shipped.scored import read_result
from core.pipelines.tables import read_data

if TYPE_CHECKING:
    import pandas as pd

    from core.edge import OnnxModel
    from core.fairness import ThresholdPolicy

__all__ = ["main"]

_COMPARED_ROWS, _COMPARED_TEXTS, _KEPT_ROWS = 2_000, 100, 1_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("export_onnx", _work, argv)


def _work(arguments: Arguments) -> None:
    model = ModelFolder(arguments.path("model"))
    train = model.training_table().frame
    test_data = arguments.optional_path("test_data")
    held_out = train if test_data is None else read_data(test_data, "test").frame
    if test_data is None:
        log("No test_data was given: the answers are compared on training rows, and on rows made up from them.")
    policy = _read_policy(arguments.optional_path("policy"))
    folder = arguments.path("onnx_model")
    exported = _export(model, folder / "model.onnx", train, held_out, policy)
    write_text(folder / "onnx.json", json.dumps(jsonable(exported.to_dict()), indent=1))
    if not model.reads_text:
        rows = held_out[list(read_result(model)["features"])].head(_KEPT_ROWS)
        rows.to_parquet(folder / "rows.parquet")
    parity = {part: dict(values) for part, values in jsonable(exported.to_dict())["parity"].items()}
    for part, values in parity.items():
        log(
            f"{part.replace('_', ' ').capitalize()} rows: {values['rows']:,} compared, "
            f"largest difference {values['largest_difference']:.2g}, {values['rows_over']:,} beyond the tolerance."
        )
    write_report(folder, "export_onnx", policy=policy is not None, parity=parity)
    log(f"Wrote model.onnx, {(folder / 'model.onnx').stat().st_size / 1e6:,.2f} MB.")


def _export(
    model: ModelFolder, file: Path, train: pd.DataFrame, held_out: pd.DataFrame, policy: ThresholdPolicy | None
) -> OnnxModel:
    from core.edge import export_onnx
    from core.finetune import FineTuneSettings, usable_texts

    if not model.reads_text:
        return export_onnx(
            model.data, file, train=train.head(_COMPARED_ROWS), held_out=held_out.head(_COMPARED_ROWS), policy=policy
        )
    settings = FineTuneSettings.model_validate(read_result(model)["settings"])
    parts = [list(usable_texts(rows, settings).values())[:_COMPARED_TEXTS] for rows in (train, held_out)]
    return export_onnx(
        model.data / "model",
        file,
        train=parts[0],
        held_out=parts[1] or parts[0],
        max_length=settings.max_length,
        policy=policy,
        target=settings.label_column,
    )


def _read_policy(path: Path | None) -> ThresholdPolicy | None:
    from core.fairness import ThresholdPolicy

    if path is None:
        return None
    file = path / "policy.json" if path.is_dir() else path
    try:
        return ThresholdPolicy.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(
            f"'{file.name}' holds no policy: {error}.", "Give the output of fairness_thresholds."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
