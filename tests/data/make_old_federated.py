"""Makes a small installation with a federated study of two sites and its registered model, packed into ``tests/data``.

    python tests/data/make_old_federated.py federated-1

An archive that is there is never changed. ``expected.json`` in the home holds what the study said.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from make_old_versions import pack  # noqa: E402


def _fill() -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    from core import jobs, models
    from core.access import LOCAL
    from core.catalog import datasets
    from core.federated import FederatedSettings
    from core.tasks import federated, ingest

    random = np.random.default_rng(0)
    x, site = random.normal(size=400), random.choice(["north", "south"], 400)
    y = np.where(x + random.logistic(size=400) > 0, "yes", "no")
    table = pd.DataFrame({"x": x.round(3), "hospital": site, "ill": y})

    def ended(run_id: str) -> Any:
        run = jobs.wait(run_id, 300, access=LOCAL)
        assert run.state == "SUCCEEDED", run.error_message
        return run

    content = io.BytesIO(table.to_csv(index=False).encode())
    imported = ended(ingest.submit_upload(content, "patients.csv", access=LOCAL))
    dataset = datasets.get(imported.result["dataset_id"], access=LOCAL)
    settings = FederatedSettings(target="ill", site_column="hospital", rounds=5, folds=2)
    study = ended(federated.submit(dataset, settings, access=LOCAL))
    model = models.register(study.id, name="Hospitals", access=LOCAL)
    record = json.loads(jobs.artifact_path(study.id, "federated.json", access=LOCAL).read_text())
    rows = table[["x"]].head(20)
    scored = models.score(models.resolve(model.id, access=LOCAL).id, rows, access=LOCAL)
    return {
        "run": study.id,
        "model": model.id,
        "verdict": record["verdict"],
        "sites": [item["site"] for item in record["sites"]],
        "rows": rows.to_dict("list"),
        "scores": scored["p(yes)"].tolist(),
    }


if __name__ == "__main__":
    pack(sys.argv[1], _fill)
