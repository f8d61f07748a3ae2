"""The command of a site: ``plumbline-site join`` and ``plumbline-site show``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError, PlumblineError
from core.federated.network.certificates import Token, read_token
from core.federated.network.proposal import describe_proposal
from core.private_folder import PRIVATE_UMASK

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["main"]

_SHOW_WAIT_S = 60.0
_HELP = {
    "join": "take part in a study with a table, until the study is over",
    "show": "print what the study proposes, without a table",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 0, or 1 with a message on the error output.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments; by default those of the process.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    os.umask(PRIVATE_UMASK)
    try:
        token = read_token(options.token)
        return _show(token) if options.command == "show" else _join(token, options)
    except PlumblineError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("plumbline-site", description="Take part in a federated study.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in _HELP.items():
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        command.add_argument("token", help="token file of the site; whoever has it can join as the site")
    join = commands.choices["join"]
    join.add_argument("--table", required=True, help="table of the site: CSV, Parquet, Excel and others")
    join.add_argument("--folder", help="private folder of the site in the study; by default beside the token")
    join.add_argument("--approve", action="store_true", help="approve without a question, for unattended starts")
    return parser


def _show(token: Token) -> int:
    import pandas as pd

    from core.federated.network.site_server import SiteServer

    with tempfile.TemporaryDirectory() as folder:
        server = SiteServer(token, pd.DataFrame(), Path(folder))
        try:
            print(describe_proposal(server.join(wait_s=_SHOW_WAIT_S)))
        finally:
            server.stop()
    return 0


def _join(token: Token, options: argparse.Namespace) -> int:
    from core.federated.network.site_server import SiteServer

    frame = _table(options.table)
    folder = Path(options.folder) if options.folder else Path(options.token).with_suffix(".site")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server = SiteServer(token, frame, folder)
    try:
        print(f"Connecting to {token.address} as '{token.site}'", flush=True)
        proposal = server.join(should_stop=ended.is_set)
        if not server.approved:
            try:
                print(describe_proposal(proposal, server.site), flush=True)
            except PlumblineError:
                server.refuse("Its table does not fit the study.")
                raise
            if not options.approve and not _says_yes():
                server.refuse("Its operator has not approved the study.")
                print("Not approved; nothing was shared.")
                return 1
            server.approve()
        print("Approved; answering the study.", flush=True)
        server.serve(should_stop=ended.is_set)
        print("The study is over." if server.state == "done" else "Stopped; start again to continue.", flush=True)
    finally:
        server.stop()
    return 0


def _says_yes() -> bool:
    print('\nType "yes" to take part: ', end="", flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def _table(path: str) -> pd.DataFrame:
    from core.datasets import read_table

    if not Path(path).is_file():
        raise InputError(f"There is no table '{path}'.", "Give the path of a file.")
    with tempfile.TemporaryDirectory() as folder:  # nothing of the table stays behind
        return read_table(path, workdir=folder).frame


if __name__ == "__main__":
    raise SystemExit(main())
