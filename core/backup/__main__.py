"""``python -m core.backup make FILE | check FILE | restore FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.backup import check, make, restore
from core.errors import PlumblineError

_COMMANDS = {"make": make, "check": check, "restore": restore}


def main(arguments: list[str] | None = None) -> int:
    """Do what the command says; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.backup", description="Back up and restore an installation.")
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    try:
        manifest = _COMMANDS[given.command](given.file)
    except PlumblineError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    said = {"make": "Backed up", "check": "Checked", "restore": "Restored"}[given.command]
    print(f"{said}: the catalog and {manifest.contents:,} files, {manifest.size_bytes / 2**20:,.1f} MB.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
