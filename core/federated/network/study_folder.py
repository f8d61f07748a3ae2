"""The folder of a study at its coordinator: settings, certificates, tokens, the state of the sites, the journal."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import Field, model_validator

from core.checked import CheckedSettings
from core.errors import NotFoundError, SettingsError, shortened
from core.federated._settings import FederatedSettings
from core.federated.network.certificates import Authority, Certificate, Token, checked_site_name, write_private
from core.private_folder import make_private

__all__ = ["NetworkSettings", "create_study", "load_certificates", "load_study"]

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]+):(?P<port>\d{1,5})")


class NetworkSettings(CheckedSettings):
    """Settings of a study between machines.

    Parameters
    ----------
    study : str
        Id of the study.
    address : str
        Host and port at which the sites reach the server.
    sites : tuple of str
        Names of the sites.
    settings : FederatedSettings
        Settings of the training.
    listen : str or None, default=None
        Host at which the server listens, such as 0.0.0.0; None: that of `address`.
    approval_timeout_s : float, default=86400
        Seconds that the sites' operators have to approve; those who have not are left out, if `min_sites` others have.
    join_timeout_s : float, default=60
        Seconds that are left to further sites once `min_sites` have approved.
    answer_timeout_s : float, default=60
        Seconds without a sign of life after which a request continues without a site.
    work_timeout_s : float, default=3600
        Seconds after which a request continues without a site that says that it works on it.
    heartbeat_s : float, default=2
        Seconds between two questions whether a site is there.

    Raises
    ------
    SettingsError
        When a value is invalid.
    """

    study: str = Field(pattern=r"^[0-9a-f]{16}$")
    address: str
    sites: tuple[str, ...] = Field(min_length=1, max_length=200)
    settings: FederatedSettings
    listen: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    approval_timeout_s: float = Field(default=86_400, gt=0)
    join_timeout_s: float = Field(default=60, ge=0)
    answer_timeout_s: float = Field(default=60, gt=0)
    work_timeout_s: float = Field(default=3_600, gt=0)
    heartbeat_s: float = Field(default=2, gt=0)

    @model_validator(mode="after")
    def _combination(self) -> NetworkSettings:
        for site in self.sites:
            checked_site_name(site)
        if len({site.lower() for site in self.sites}) < len(self.sites):
            raise ValueError(f"two sites have the same name: {', '.join(self.sites)}")
        if not (match := _ADDRESS.fullmatch(self.address)) or not 0 < int(match["port"]) < 65_536:
            raise ValueError(f"the address '{shortened(self.address)}' must be host:port")
        if self.settings.min_sites > len(self.sites):
            raise ValueError(f"min_sites is {self.settings.min_sites}, and there are {len(self.sites)} sites")
        if self.settings.masked and self.settings.min_sites < 2:
            raise ValueError("min_sites must be 2 or more, because a sum of one site is its own value")
        if self.settings.site_column is not None:
            raise ValueError("site_column is for one table with the rows of all sites, which no site has")
        return self

    @property
    def listen_address(self) -> str:
        """Host and port at which the server listens."""
        host, port = self.address.rsplit(":", 1)
        return f"{self.listen or host}:{port}"

    @property
    def host(self) -> str:
        """Host of the server."""
        return self.address.rsplit(":", 1)[0]


def create_study(
    folder: str | Path,
    settings: FederatedSettings,
    sites: Sequence[str],
    address: str,
    *,
    listen: str | None = None,
    **limits: float,
) -> list[Path]:
    """Make the folder of a new study, and return the tokens for its sites.

    Whoever has the token of a site can join as that site; each goes to its site alone.

    Parameters
    ----------
    folder : path
        Folder, which must be new or empty; it is closed to other users.
    settings : FederatedSettings
        Settings of the training.
    sites : sequence of str
        Names of the sites.
    address : str
        Host and port at which the sites reach the server.
    listen : str, optional
        Host at which the server listens; by default that of `address`.
    **limits : float
        Time limits of `NetworkSettings`.

    Returns
    -------
    list of Path
        A token for each site.

    Raises
    ------
    SettingsError
        When a value is invalid, or the folder has something in it.
    """
    path = Path(folder)
    network = NetworkSettings(
        study=secrets.token_hex(8),
        address=address,
        sites=tuple(sites),
        settings=settings,
        listen=listen,
        **limits,
    )
    if path.exists() and any(path.iterdir()):
        raise SettingsError(f"The folder '{path}' is not empty.", "Give a new folder for each study.")
    make_private(path)
    authority = Authority.create(network.study)
    server = authority.for_server(network.host)
    certificates = {"authority": authority.own.certificate, "server": asdict(server)}
    write_private(path / "server.json", json.dumps(certificates).encode())
    tokens = []
    for site in network.sites:
        own = authority.for_site(site)
        token = Token(network.study, site, address, authority.own.certificate, own.certificate, own.key)
        tokens.append(path / f"{site}.token")
        write_private(tokens[-1], token.to_text().encode())
    # The authority's key is not kept: nobody can make another site's certificate afterwards.
    write_private(path / "study.json", network.model_dump_json(indent=2).encode())
    return tokens


def load_study(folder: str | Path) -> NetworkSettings:
    """Return the settings of the study in a folder.

    Raises
    ------
    NotFoundError
        When the folder has no study.
    """
    path = Path(folder) / "study.json"
    if not path.is_file():
        raise NotFoundError(f"There is no study in '{folder}'.", "Make one with plumbline-study create.")
    return NetworkSettings(**json.loads(path.read_text(encoding="utf-8")))


def load_certificates(folder: str | Path) -> tuple[str, Certificate]:
    """Return the certificate of a study's authority, and the certificate and key of its server."""
    stored = json.loads((Path(folder) / "server.json").read_text(encoding="utf-8"))
    return str(stored["authority"]), Certificate(**stored["server"])
