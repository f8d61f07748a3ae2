"""Writes ``deploy/requirements.lock``: every package of a server with its version and the hash of its file.

Run it on a machine like the server's, since the files are those of its Python and processor. Arguments go to pip::

    python deploy/lock.py --extra-index-url https://download.pytorch.org/whl/cpu
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "deploy" / "requirements.lock"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
HEADER = f"""\
# Every package of a server, for {{machine}}, Python {{python}}. Made by deploy/lock.py; do not edit.
# pip install --require-hashes --extra-index-url {CPU_INDEX} -r deploy/requirements.lock
"""


def lock_text(report: dict[str, object]) -> str:
    """Return the lock file that says what pip reports, without the places that it would take it from."""
    lines = []
    for item in report["install"]:  # type: ignore[attr-defined]
        name, version = item["metadata"]["name"].lower().replace("_", "-"), item["metadata"]["version"]
        lines.append(
            f"{name}=={version} \\\n    --hash=sha256:{item['download_info']['archive_info']['hashes']['sha256']}\n"
        )
    header = HEADER.format(
        machine=f"{sys.platform} {platform.machine()}", python=".".join(platform.python_version_tuple()[:2])
    )
    return header + "".join(sorted(lines))


def main() -> None:
    """Ask pip what it would install into an empty environment, and write it down."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        sources = ["-r", "requirements.txt", "-r", "requirements-server.txt"]
        subprocess.run([*command, "--report", str(report), *sources, *sys.argv[1:]], cwd=ROOT, check=True)
        LOCK.write_text(lock_text(json.loads(report.read_text())), encoding="utf-8")


if __name__ == "__main__":
    main()
