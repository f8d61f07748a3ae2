"""Writes tables for three sites, to try a study on one machine: German credit, by purpose of the loan.

python deploy/federated/tables.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from core.datasets import load_sample

PURPOSES = {"north": ("radio/television", "furniture/equipment"), "south": ("car (new)", "car (used)")}


def main(folder: Path) -> None:
    frame = load_sample("german_credit").frame
    site_of = {purpose: site for site, purposes in PURPOSES.items() for purpose in purposes}
    sites = frame["purpose"].map(site_of).fillna("west")
    folder.mkdir(parents=True, exist_ok=True)
    for site, rows in frame.groupby(sites):
        rows.drop(columns="purpose").to_csv(folder / f"{site}.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
