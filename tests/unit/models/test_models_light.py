"""What a page does with models loads nothing that only a run's process may."""

import subprocess
import sys
from pathlib import Path

from core import models
from core.access import LOCAL
from core.edge import export_onnx
from tests.unit.test_layout import HEAVY

ROOT = Path(__file__).parents[3]
PAGE = """
import sys
from pathlib import Path
from core import models
from core.access import LOCAL, Access
import pandas as pd
first, second = models.register(sys.argv[1], name="a", access=LOCAL), models.register(
    sys.argv[2], name="b", access=LOCAL
)
models.promote(first.id, 1, access=Access("local", "editor", "ann"))
version = models.resolve(first.id, access=LOCAL)
fields = models.form_fields(version, access=LOCAL)
row = pd.DataFrame([{field.name: field.default for field in fields}])
print(models.score_rows(version.id, row, onnx=Path(sys.argv[3]), access=LOCAL).table["prediction"].tolist())
card = models.card(first.id, access=LOCAL)
card.to_markdown(), card.to_html(), card.to_json()
models.answer(version, "risks", "some", access=LOCAL)
models.compare_versions(first.id, second.id, access=LOCAL)
models.save_mlflow(first.id, sys.argv[3] + ".mlflow", access=LOCAL)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_a_page_s_calls_stay_light(finish, credit, credit_result, other_credit, credit_frame, tmp_path):
    other = finish(other_credit, credit_frame)
    features = credit_frame.drop(columns="credit")
    export_onnx(credit_result.model, tmp_path / "m.onnx", train=features.head(500), held_out=features.tail(200))
    done = subprocess.run(
        [sys.executable, "-c", PAGE, credit.id, other.id, str(tmp_path / "m.onnx")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    prediction, packages = done.stdout.strip().splitlines()
    assert prediction in ("['good']", "['bad']")
    assert not set(packages.split()) & {*HEAVY, "mlflow", "streamlit"}
    assert models.resolve(models.find(access=LOCAL)[0].id, access=LOCAL).number == 1
