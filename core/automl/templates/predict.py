"""Predict the rows of a file: python predict.py rows.csv predictions.csv"""

import json
import sys
from pathlib import Path

from core.automl import AutoMLResult
from core.datasets import ReadOptions, read_table
from core.errors import PlumblineError


def main(source: str, target: str) -> None:
    """Write the rows of a file with a prediction, and the probabilities of the classes, beside each."""
    folder = Path(__file__).parent
    model = AutoMLResult.load(folder).model
    reading = folder / "reading.json"  # how the training table was read
    values = json.loads(reading.read_text(encoding="utf-8")) if reading.is_file() else {}
    own = isinstance(values.get("missing_values"), list)  # texts that mean a missing value
    options = ReadOptions(missing_values=tuple(values["missing_values"])) if own else None
    rows = read_table(source, like=values["columns"] if own else values, options=options).frame
    predictions = rows.assign(prediction=model.predict(rows))
    if hasattr(model, "predict_proba"):
        for label, probability in zip(model.classes_, model.predict_proba(rows).T, strict=True):
            predictions[f"p({label})"] = probability
    predictions.to_csv(target, index=False)
    print(f"{len(predictions):,} rows predicted: {target}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except PlumblineError as error:
        sys.exit(f"{error.message} {error.hint}")
