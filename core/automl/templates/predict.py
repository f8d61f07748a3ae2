"""Predict the rows of a file: python predict.py rows.csv predictions.csv"""

import sys
from pathlib import Path

from core.automl import AutoMLResult
from core.datasets import read_table
from core.errors import PlumblineError


def main(source: str, target: str) -> None:
    """Write the rows of a file with a prediction, and the probabilities of the classes, beside each."""
    model = AutoMLResult.load(Path(__file__).parent).model
    rows = read_table(source).frame
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
