"""The tests that take too long for every change: ``python -m tests.nightly`` runs those that did not pass yet.

What passed is kept in a file named after a hash of the sources: a run that was interrupted resumes where it ended, and
other sources begin anew. Arguments go to pytest.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STATES = ROOT / ".pytest_cache" / "nightly"
TIMEOUT_S = 1_800


def _key() -> str:
    """Return a hash of everything that the tests run."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(_sources()):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for folder in ("core", "pages", "tests"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    yield from ROOT.glob("*.txt")
    yield from ROOT.glob("*.toml")


class Resumed:
    """Leaves out the tests that a file names, and adds to it those that pass.

    Parameters
    ----------
    file : Path
        One test per line: its id, a tab, and the seconds it took.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.passed = {name: float(seconds) for name, seconds in (line.rsplit("\t", 1) for line in lines)}
        self._setup_s = 0.0

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect what passed before."""
        before = [item for item in items if item.nodeid in self.passed]
        if before:
            config.hook.pytest_deselected(items=before)
            items[:] = [item for item in items if item.nodeid not in self.passed]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that passed, with the seconds of its fixtures."""
        if report.when == "setup":
            self._setup_s = report.duration
        if report.when == "call" and report.passed:
            self.passed[report.nodeid] = report.duration + self._setup_s
            with open(self.file, "a", encoding="utf-8") as lines:
                lines.write(f"{report.nodeid}\t{self.passed[report.nodeid]:.1f}\n")

    def table(self) -> str:
        """Return what passed so far, as a Markdown table."""
        rows = [f"| `{name}` | {seconds:,.1f} |" for name, seconds in self.passed.items()]
        total = f"| {len(rows)} tests | {sum(self.passed.values()):,.1f} |"
        return "\n".join(["| Nightly test | Seconds |", "|---|---|", *rows, total])


def main(arguments: list[str]) -> int:
    """Run the nightly tests that did not pass yet; return pytest's exit status."""
    STATES.mkdir(parents=True, exist_ok=True)
    resumed = Resumed(STATES / f"{_key()}.txt")
    options = ["-m", "nightly", "-n", "0", "--timeout", str(TIMEOUT_S), "--durations", "0"]
    status = int(pytest.main([*options, *arguments], plugins=[resumed]))
    if status == pytest.ExitCode.NO_TESTS_COLLECTED and resumed.passed:
        status = 0
    print(resumed.table())  # noqa: T201
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
