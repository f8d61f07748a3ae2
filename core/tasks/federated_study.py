"""Leads a federated study between machines: its coordinator is a run, its sites join from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import jobs
from core.access import Access, Role, require_feature
from core.catalog import Run
from core.errors import SettingsError
from core.federated import FederatedSettings
from core.files import write_text
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.settings import get_settings

__all__ = ["SPEC", "run", "site_states", "submit", "tokens"]

SPEC = TaskSpec(
    name="federated_study",
    title="Federated study between machines",
    help="Leads a study whose sites join from other machines, and keeps the model.",
    lane="pipeline",  # it waits, for days if need be, and takes next to no processor
    page="federated",
    resumable=True,
    checkpoints=("study/**/*",),
    stoppable=True,
    stop_label="Stop after this round",
    repeatable=False,  # a new study has new tokens
)
_FOLDER = "study"


def submit(settings: FederatedSettings, sites: Sequence[str], address: str, *, listen: str = "", access: Access) -> str:
    """Queue the run that leads a study, and return its id; its tokens are there as soon as it works.

    Parameters
    ----------
    settings : FederatedSettings
        Settings of the training, without `site_column`.
    sites : sequence of str
        Names of the sites.
    address : str
        Host and port at which the sites reach this machine.
    listen : str, default=""
        Host at which it listens, such as 0.0.0.0; by default that of `address`.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the installation is for strangers.
    SettingsError
        When the settings do not fit, or NVFLARE is not installed.
    """
    from core.federated import NetworkSettings

    require_feature("network_studies")
    if not _is_installed():
        raise SettingsError(
            "Studies between machines need NVFLARE, which is not installed.",
            "Run pip install -r requirements-federated.txt, and start Plumbline again.",
        )
    network = NetworkSettings(
        study="0" * 16, address=address, sites=tuple(sites), settings=settings, listen=listen or None
    )
    return jobs.submit(
        "federated_study",
        {
            "settings": settings.model_dump(mode="json"),
            "sites": list(network.sites),
            "address": network.address,
            "listen": network.listen,
        },
        title=f"{settings.target} from {len(network.sites)} sites",
        access=access,
    )


def _is_installed() -> bool:
    from importlib.util import find_spec

    return find_spec("nvflare") is not None


def tokens(run: Run, *, access: Access) -> dict[str, Path]:
    """Return the token of each site of a study that works; none where it has not begun, or is over.

    Parameters
    ----------
    run : Run
        Run of the study.
    access : Access
        The workspace, and who acts in it: editors and admins have tokens, since whoever has one can join as that site.
    """
    access.require(Role.EDITOR)
    current = jobs.get(run.id, access=access)
    folder = _folder(run.id)
    paths = {str(site): folder / f"{site}.token" for site in current.settings["sites"]}
    return {site: path for site, path in paths.items() if path.is_file()}


def site_states(run: Run, *, access: Access) -> JsonObject:
    """Return the phase of a study and the state of each site, as `core.federated.read_states` has them."""
    from core.federated import read_states

    current = jobs.get(run.id, access=access)
    return read_states(_folder(current.id))


def _folder(run_id: str) -> Path:
    return get_settings().runs_dir / run_id / "work" / _FOLDER


def run(context: RunContext) -> dict[str, Any]:
    """Make the study if there is none yet, lead it to its end, and keep its result."""
    context.report(Event("prepare", 0.0, "Making certificates and tokens"))
    from core.federated import coordinate, create_study

    values = context.settings
    settings = FederatedSettings.model_validate(values["settings"])
    folder = context.workdir / _FOLDER
    if not (folder / "study.json").is_file():
        create_study(folder, settings, values["sites"], values["address"], listen=values["listen"])
    result = coordinate(folder, report=context.report, should_stop=context.should_stop)
    context.report(Event("store", 0.99, "Storing the model and its evidence"))
    target = context.workdir / "result"
    result.save(target)
    groups = folder / "groups.json"
    if groups.is_file():
        write_text(target / "groups.json", json.dumps(json.loads(groups.read_text(encoding="utf-8"))))
    for path in sorted(item for item in target.rglob("*") if item.is_file()):
        context.keep(path.relative_to(target).as_posix(), path)
    return {
        "verdict": result.verdict,
        "sites": len(result.sites),
        "rounds": len(result.rounds),
        "elapsed_s": result.elapsed_s,
        "export_error": "The rows that an export is compared on are at the sites.",
    }
