"""The golden installation: `core.demo` on a tiny text model, with a failed and a cancelled run; made once, copied.

It is kept in the cache folder under a hash of what makes it, so that one session makes it for the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from core.access import LOCAL
from core.demo import Demo

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".pytest_cache" / "golden"
MADE = "made.json"
FILES = "files"
WITH_FILES = ("binary", "number", "rival", "text")
WAIT_S = 600
STALE = "GOLDEN_STALE"
"""Variable that takes the installation of an earlier state of the code, while one works on what does not make it."""


@dataclass(frozen=True)
class Golden(Demo):
    """What the demo has, and two runs that came to nothing.

    Parameters
    ----------
    failed, cancelled : str
        Searches of `credit`.
    decisions : str
        Dataset of `decisions`.
    """

    failed: str
    cancelled: str
    decisions: str


def tiny_base(folder: Path, texts: list[str]) -> Path:
    """Write a BERT of two thin layers with random weights and a vocabulary of 400 pieces."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast, set_seed

    words = BertWordPieceTokenizer()
    words.train_from_iterator(texts, vocab_size=400, min_frequency=1)
    folder.mkdir(parents=True)
    words.save_model(str(folder))
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    set_seed(1)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=words.get_vocab_size(), **size)).save_pretrained(folder)
    return folder


def decisions() -> pd.DataFrame:
    """Return a table with labels, decisions and scores of its own, and groups of several sizes."""
    random = np.random.default_rng(0)
    n = 1_500
    frame = pd.DataFrame({"group": random.choice(["a", "b", "tiny"], n, p=[0.6, 0.39, 0.01]), "one": "same"})
    frame["score"] = random.random(n).round(3)
    frame["truth"] = np.where(random.random(n) < frame["score"], "yes", "no")
    frame["decision"] = np.where(frame["score"] + 0.1 * (frame["group"] == "a") > 0.5, "yes", "no")
    frame["name"] = [f"person {number}" for number in range(n)]
    frame["constant"] = 0.5
    return frame


def _key() -> str:
    """Return a hash of what the golden installation is made of."""
    digest = hashlib.sha256(sys.version.encode())
    files = [path for path in (ROOT / "core").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted([*files, *ROOT.glob("requirements*.txt"), Path(__file__)]):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def held(folder: Path, operation: int) -> Iterator[int]:
    """Hold a folder with a lock of `fcntl`, which ends with the last process that has it; wait for others that do."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Another process has held {folder} for {WAIT_S} seconds; end it.") from error
                time.sleep(0.2)
        yield descriptor
    finally:
        os.close(descriptor)


def remove_unused(cache: Path) -> list[str]:
    """Remove the installations that no process makes or uses, and return their names."""
    removed = []
    for folder in sorted(path for path in cache.iterdir() if path.is_dir()):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder)
            removed.append(folder.name)
        finally:
            os.close(descriptor)
    return removed


def _make(folder: Path) -> None:
    """Make the golden installation in a process of its own, which holds the folder even when this one has ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    command = [sys.executable, "-m", "tests.golden", str(folder)]
    with held(folder, fcntl.LOCK_EX) as lock:
        made = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WAIT_S, pass_fds=(lock,)
        )
    if made.returncode:
        raise RuntimeError(f"The golden installation could not be made:\n{made.stdout}\n{made.stderr}")


@lru_cache(maxsize=1)
def golden_home() -> tuple[Path, Golden]:
    """Return the folder of the golden installation, which nobody may change, and the ids of what it holds.

    This process holds the folder for as long as it lives.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "lock", timeout=WAIT_S):
        stale = [path.parent for path in CACHE.glob(f"*/{MADE}")]
        folder = stale[0] if stale and os.environ.get(STALE) else CACHE / _key()
        folder.mkdir(exist_ok=True)
        with held(folder, fcntl.LOCK_SH):  # a process that makes it may have outlived its tests
            made = (folder / MADE).is_file()
        if not made:
            remove_unused(CACHE)
            folder.mkdir(exist_ok=True)
            _make(folder)
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)  # open until the process ends
    return folder / "home", Golden(**json.loads((folder / MADE).read_text(encoding="utf-8")))


def golden_files(name: str) -> Path:
    """Return the folder with the files of one of the golden installation's runs, as `AutoMLResult.load` reads it."""
    home, _ = golden_home()
    return home.parent / FILES / name


def copy_home(source: Path, target: Path) -> None:
    """Copy an installation; stored contents never change, so a link to each is enough."""
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        elif "artifacts" in path.relative_to(source).parts:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(path)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def main(folder: Path) -> None:
    """Make the golden installation in a folder."""
    home = folder / "home"
    os.environ |= {"PLUMBLINE_HOME": str(home), "PLUMBLINE_MAX_RUNNING": "2"}
    from core import jobs
    from core.automl import AutoMLSettings
    from core.catalog import RunState, artifacts, datasets
    from core.catalog.engine import get_engine
    from core.demo import build, reviews
    from core.settings import get_settings
    from core.storage import get_store
    from core.tasks import automl, ingest

    get_settings.cache_clear()
    base = tiny_base(folder / "tiny-bert", reviews()["text"].tolist())
    demo = build(base_model=str(base), access=LOCAL)
    credit = datasets.get(demo.credit, access=LOCAL)
    failed = automl.submit(
        credit, AutoMLSettings(target="no such column", time_budget_s=None, max_trials=2), access=LOCAL
    )
    cancelled = automl.submit(credit, AutoMLSettings(target="credit", time_budget_s=600), access=LOCAL)
    jobs.cancel(cancelled, access=LOCAL)
    table = io.BytesIO(decisions().to_csv(index=False).encode())
    imported = jobs.wait(ingest.submit_upload(table, "decisions.csv", access=LOCAL), WAIT_S, access=LOCAL)
    for run_id, state in ((failed, RunState.FAILED), (cancelled, RunState.CANCELLED)):
        run = jobs.wait(run_id, WAIT_S, access=LOCAL)
        if run.state is not state:
            raise SystemExit(f"{run.title} ended as {run.state}: {run.error_message}")
    for name in WITH_FILES:
        for item in artifacts.find(getattr(demo, name), access=LOCAL):
            link = folder / FILES / name / item.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(get_store().local_path(item.digest))
    get_engine().dispose()
    with contextlib.closing(sqlite3.connect(home / "catalog.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    own = imported.result["dataset_id"]
    made = Golden(**asdict(demo), failed=failed, cancelled=cancelled, decisions=own)
    (folder / MADE).write_text(json.dumps(asdict(made)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
