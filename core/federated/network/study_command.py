"""The command of a coordinator: ``plumbline-study create``, ``run`` and ``show``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import InputError, PlumblineError
from core.federated._settings import FederatedSettings
from core.federated.network.site_states import SITE_STATES, read_states
from core.federated.network.study_folder import create_study, load_study
from core.private_folder import PRIVATE_UMASK
from core.progress import Event

__all__ = ["main"]

RESULT = "result"
_LIMITS = ("approval_timeout_s", "join_timeout_s", "answer_timeout_s", "work_timeout_s", "heartbeat_s")


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
        return int({"create": _create, "run": _run, "show": _show}[options.command](options))
    except PlumblineError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("plumbline-study", description="Lead a federated study.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make the folder of a study, with a token for each site")
    create.add_argument("--settings", required=True, help="JSON file with the settings of the training")
    create.add_argument("--site", action="append", required=True, help="name of a site; once for each")
    create.add_argument("--address", required=True, help="host:port at which the sites reach this machine")
    create.add_argument("--listen", metavar="HOST", help="host at which this machine listens, such as 0.0.0.0")
    for name in _LIMITS:
        option = "--" + name.removesuffix("_s").replace("_", "-")
        create.add_argument(option, dest=name, type=float, metavar="SECONDS", help=f"{name} of NetworkSettings")
    commands.add_parser("run", help="wait for the sites, train, and write the result into the folder")
    commands.add_parser("show", help="print the state of a study and of its sites")
    for command in commands.choices.values():
        command.add_argument("folder", help="folder of the study")
    return parser


def _create(options: argparse.Namespace) -> int:
    try:
        values = json.loads(Path(options.settings).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The settings '{options.settings}' cannot be read.", "Give a JSON file.") from error
    if not isinstance(values, dict):
        raise InputError(f"The settings '{options.settings}' are not a JSON object.", 'Write {"target": ...}.')
    limits = {name: getattr(options, name) for name in _LIMITS if getattr(options, name) is not None}
    tokens = create_study(
        options.folder, FederatedSettings(**values), options.site, options.address, listen=options.listen, **limits
    )
    print("Send each token to its site, and to nobody else: whoever has it can join as that site.")
    for token in tokens:
        print(f"  {token}")
    return 0


def _run(options: argparse.Namespace) -> int:
    from core.federated.network.coordinate import coordinate

    folder = Path(options.folder)
    if (folder / RESULT / "federated.json").exists():
        print(f"The study is finished; its result is in {folder / RESULT}.")
        return 0
    try:
        result = coordinate(folder, report=_print)
    except KeyboardInterrupt:
        print("Stopped; run the study again to continue.")
        return 130
    result.save(folder / RESULT)
    if result.sites:
        print(result.by_site.to_string())
    print(result.verdict)
    print(f"The result is in {folder / RESULT}.")
    return 0


def _print(event: Event) -> None:
    print(event.message, flush=True)


def _show(options: argparse.Namespace) -> int:
    network, states = load_study(options.folder), read_states(options.folder)
    print(f"Study {network.study} at {network.address}: {states['phase']}. {states['message']}".strip())
    for site in network.sites:
        entry = states["sites"].get(site, {"state": "invited", "reason": "", "since": ""})
        since = f" (since {entry['since']})" if entry["since"] else ""
        print(f"  {site}: {entry['state']}, {SITE_STATES[entry['state']]}. {entry['reason']}".rstrip() + since)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
