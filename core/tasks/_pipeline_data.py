"""Tables of the workspace as folders that steps of pipelines read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from core.access import Access
from core.catalog import Dataset, datasets, versions
from core.errors import InputError, NotFoundError
from core.files import write_text
from core.pipelines import Asset, asset_name
from core.readings import Reading
from core.registry import unknown_name
from core.storage import get_store

__all__ = ["dataset_of", "write_dataset"]


def dataset_of(asset: Asset, *, access: Access) -> Dataset:
    """Return the dataset that a file refers to: the current version, or one by its number.

    Of several datasets of this name it is the one that was imported last. A name that no dataset has also fits the one
    whose name differs in case, blanks and punctuation only.

    Raises
    ------
    NotFoundError
        When there is no such dataset, or it has no such version.
    """
    current = datasets.find(access=access)
    fitting = [dataset for dataset in current if dataset.name == asset.name]
    fitting = fitting or [dataset for dataset in current if asset_name(dataset.name) == asset.name]
    fitting = fitting or [dataset for dataset in current if _plain(dataset.name) == _plain(asset.name)]
    if not fitting:
        known = unknown_name(asset.name, [dataset.name for dataset in current])
        raise NotFoundError(
            f"There is no dataset '{asset.name}'.", known or "Import one of this name on the Data page."
        )
    fitting = sorted(fitting, key=lambda dataset: dataset.created_at, reverse=True)
    if asset.version is None:
        if asset.label not in (None, "latest"):
            raise NotFoundError(f"Datasets have no label '{asset.label}'.", "Use @latest, or a version's number.")
        return fitting[0]
    listed = versions.find(fitting[0], access=access)
    numbered = next((version for version in listed if str(version.number) == asset.version), None)
    if numbered is None:
        numbers = ", ".join(str(version.number) for version in listed)
        raise NotFoundError(f"'{asset.name}' has no version {asset.version}.", f"Its versions: {numbers}.")
    return numbered


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def write_dataset(dataset: Dataset, folder: Path) -> Path:
    """Write a dataset as a folder with its Parquet file and what is known of it, and return the folder.

    Raises
    ------
    InputError
        When the content of the dataset is no longer stored.
    """
    from core.datasets import ReadReport, Recipe, Replay

    store = get_store()
    if not store.exists(dataset.data_digest):
        raise InputError(f"The content of '{dataset.name}' is not stored any more.", "Import it again.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(store.local_path(dataset.data_digest), folder / "data.parquet")
    record = {"name": dataset.name, "roles": dataset.roles, "fingerprint": dataset.fingerprint}
    if dataset.report:
        record["reading"] = json.loads(Reading.of(ReadReport.from_dict(dataset.report)).to_json())
    if "fitted" in dataset.lineage:
        steps = Replay(Recipe.from_dict(dataset.lineage["fitted"]), dataset.lineage.get("types", {}))
        record["steps"] = steps.to_dict()
    write_text(folder / "dataset.json", json.dumps(record, indent=1, ensure_ascii=False))
    return folder
