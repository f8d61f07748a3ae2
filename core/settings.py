"""Settings of the whole installation, from ``PLUMBLINE_*`` environment variables or a ``.env`` file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.setting_errors import PREFIX, check_env_file, invalid_settings, unknown_settings
from core.setting_lists import Engine, Folders, Hosts, Modules

__all__ = ["Settings", "get_settings", "unknown_variables"]

_ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Where things are kept and how much a run may take.

    Raises
    ------
    SettingsError
        When the value of a variable is not among those that it takes; the message names both.

    Examples
    --------
    >>> Settings(home="/tmp/somewhere").database_url
    'sqlite:////tmp/somewhere/catalog.db'
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=_ROOT / ".env", env_ignore_empty=True, extra="ignore", allow_inf_nan=False
    )

    def __init__(self, **values: Any) -> None:
        env_file = self.model_config["env_file"]
        if isinstance(env_file, Path):
            check_env_file(env_file)
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise invalid_settings(type(self), error) from error

    profile: Literal["local", "team", "demo"] = Field(
        default="local",
        description="Whether one person uses it on this machine, a team whose members sign in, or anonymous visitors.",
    )

    home: Path = Field(default=_ROOT / ".plumbline", description="Folder for the catalog, artifacts and logs.")
    database: str | None = Field(default=None, description="SQLAlchemy URL of the catalog; default SQLite in home.")
    storage: str | None = Field(default=None, description="fsspec URL of the artifact store; default a folder in home.")

    engine: Engine = Field(
        default="local",
        description="What places long runs: local (this machine), ray://host:port, slurm or kubernetes.",
    )
    engine_lanes: Literal["long", "all"] = Field(
        default="long", description="Runs that the engine places: long ones, or imports and checks as well."
    )
    engine_token: SecretStr | None = Field(
        default=None, description="Token of the Ray cluster, or of the API server of Kubernetes."
    )
    engine_options: str = Field(
        default="", max_length=2_000, description="Options of sbatch, such as --partition=gpu --account=team."
    )
    engine_template: Path | None = Field(
        default=None, description="YAML file with the Job of Kubernetes that each run is made of."
    )
    node_folder: Path | None = Field(
        default=None, description="Folder of Plumbline on the engine's nodes; by default the same as here."
    )
    node_python: Path | None = Field(
        default=None, description="Python of Plumbline on the engine's nodes; by default the same as here."
    )
    node_name: str | None = Field(
        default=None, max_length=100, description="Name of this node on the page of the cluster; default its host name."
    )

    max_running: int | None = Field(
        default=None,
        ge=1,
        description="Maximum number of long runs at the same time; default 1, with an engine as many as it holds.",
    )
    max_running_short: int = Field(
        default=2, ge=1, description="Maximum number of short runs (imports, checks) at the same time."
    )
    max_running_pipelines: int = Field(
        default=4, ge=1, description="Maximum number of pipelines at the same time; their steps are long or short runs."
    )
    lease_s: float = Field(default=15.0, gt=0, description="Seconds without a sign of life after which a run is lost.")
    tick_every_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds between two looks of a server at queue and schedules; 0 looks only while a page is open.",
    )
    grace_s: float = Field(default=5.0, ge=0, description="Seconds between TERM and KILL when a run is ended.")
    memory_limit_mb: int | None = Field(
        default=None, ge=64, description="Memory limit of a run's whole process tree (MB)."
    )
    run_timeout_s: float | None = Field(default=None, gt=0, description="Time limit of any run (seconds).")
    keep_work_days: float = Field(
        default=30.0,
        ge=0,
        description="Days for which the working files of a run that ended, and can be resumed, are kept.",
    )
    sandbox: Literal["off", "bubblewrap"] = Field(
        default="off", description="Whether each run works in a sandbox of bubblewrap, without network and catalog."
    )
    run_disk_mb: int = Field(
        default=20_000, ge=1, description="Disk space that a query, or a run in a sandbox, may take (MB)."
    )
    run_processes: int = Field(
        default=1_024, ge=16, description="Maximum number of processes and threads of a run in a sandbox."
    )
    max_attempts: int = Field(default=3, ge=1, description="Maximum number of attempts of a run, including the first.")

    tabicl_checkpoint: Path | None = Field(
        default=None, description="Checkpoint file of TabICL, which searches of small tables then try too."
    )
    extensions: Modules = Field(
        default=(), description="Modules that add records to registries: metrics, learners, file formats, kinds of run."
    )
    task_packages: Modules = Field(default=("core.tasks",), description="Packages whose modules are kinds of run.")

    max_upload_mb: int = Field(default=2048, ge=1, description="Size of the largest file that is read (MB).")
    max_kept_uploads_mb: int = Field(
        default=4096, ge=0, description="Size of all original files that are kept with datasets (MB, packed)."
    )
    max_stored_mb: int | None = Field(
        default=None, ge=1, description="Size of all stored files of all workspaces together (MB)."
    )
    content_grace_s: float = Field(
        default=86_400.0,
        ge=0,
        description="Seconds that a stored file is kept after nothing needs it any more.",
    )
    cache_mb: int = Field(
        default=10_240, ge=0, description="Size of the files of a remote store that are kept on this machine (MB)."
    )
    max_rows: int = Field(default=20_000_000, ge=1, description="Maximum number of rows of a table.")
    max_columns: int = Field(default=2_000, ge=1, description="Maximum number of columns of a table.")
    max_cells: int = Field(
        default=500_000_000, ge=1, description="Maximum number of cells (rows times columns) of a table."
    )

    max_cell_bytes: int = Field(default=2_000_000, ge=1, description="Size of the longest text in a cell (bytes).")
    max_name_chars: int = Field(default=1_000, ge=1, description="Length of the longest name of a column.")
    read_memory_mb: int = Field(
        default=1_500, ge=0, description="Memory that reading or profiling a file may take (MB); 0 sets no limit."
    )
    read_cpu_s: int = Field(
        default=12, ge=1, description="Processor time for a file of up to 1 MB (seconds); larger ones get more."
    )

    pipeline_commands: Literal["all", "shipped"] = Field(
        default="all",
        description="Commands that pipelines may run: all, or only those of the components that come with Plumbline.",
    )

    visitor_secret: SecretStr | None = Field(
        default=None,
        description="Text that the cookies of anonymous visitors are signed with; of 32 or more characters.",
    )
    # By default those of the profile (core/access/profiles.py); 0 sets no limit.
    workspace_running: int | None = Field(
        default=None, ge=0, description="Maximum number of long runs of one workspace at the same time."
    )
    workspace_running_short: int | None = Field(
        default=None, ge=0, description="Maximum number of short runs of one workspace at the same time."
    )
    workspace_queued: int | None = Field(
        default=None, ge=0, description="Maximum number of waiting runs of one workspace."
    )
    workspace_upload_mb: int | None = Field(
        default=None, ge=0, description="Size of the largest file that a workspace takes (MB)."
    )
    workspace_rows: int | None = Field(
        default=None, ge=0, description="Maximum number of rows of a table of a workspace."
    )
    workspace_columns: int | None = Field(
        default=None, ge=0, description="Maximum number of columns of a table of a workspace."
    )
    workspace_stored_mb: int | None = Field(
        default=None, ge=0, description="Size of all stored files of one workspace (MB)."
    )
    workspace_budget_s: int | None = Field(default=None, ge=0, description="Largest time budget of a search (seconds).")
    workspace_run_s: int | None = Field(default=None, ge=0, description="Time limit of a run of a workspace (seconds).")
    workspace_kept_hours: int | None = Field(
        default=None, ge=0, description="Hours after the last visit until all of a visitor's workspace is removed."
    )
    secrets_file: Path | None = Field(
        default=None, description="TOML file with the values of credentials, which only the server's user can read."
    )
    outbound_hosts: Hosts = Field(
        default=(),
        description="Hosts and networks that users may have the server send to although they are not on the internet.",
    )
    source_folders: Folders = Field(
        default=(),
        description="Folders of the server whose files users may have checked for batches where several people use it.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+[^\s?#]*$",
        max_length=500,
        description="Address under which people open Plumbline, such as https://ml.example.org; alerts link to it.",
    )
    smtp_host: str | None = Field(default=None, description="Mail server that alerts are sent through.")
    smtp_port: int | None = Field(
        default=None, ge=1, le=65_535, description="Port of the mail server; default 587, with tls 465, with none 25."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="Encryption of the connection to the mail server."
    )
    smtp_sender: str | None = Field(default=None, description="Address that alerts are sent from.")
    smtp_user: str | None = Field(default=None, description="User of the mail server; default nobody signs in.")
    smtp_credential: str | None = Field(
        default=None, description="Name of the credential with the password of that user, such as SMTP."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Format of the server's log: text, or one object of JSON per line."
    )
    # Limits of the web process; those of the profile where they are not set (web/limits.py).
    session_uploads_mb: int | None = Field(
        default=None, ge=1, description="Size of the uploaded files that one visit holds in memory (MB)."
    )
    all_uploads_mb: int | None = Field(
        default=None, ge=1, description="Size of the uploaded files that all visits hold in memory (MB)."
    )
    all_downloads_mb: int | None = Field(
        default=None, ge=1, description="Size of the files for download that are held in memory (MB)."
    )
    message_mb: int | None = Field(
        default=None, ge=1, le=200, description="Size of the largest message that a browser sends (MB)."
    )
    requests_per_minute: int | None = Field(
        default=None, ge=60, description="Maximum number of requests per minute from one address."
    )
    sign_ins_per_minute: int | None = Field(
        default=None, ge=1, description="Maximum number of requests for a sign-in per minute from one address."
    )
    sockets_per_address: int | None = Field(
        default=None, ge=1, description="Maximum number of pages that are open at the same time from one address."
    )
    reruns_per_minute: int | None = Field(
        default=None, ge=1, description="Maximum number of actions per minute on one open page; others wait."
    )

    @field_validator("engine_token")
    @classmethod
    def _strip(cls, token: SecretStr | None) -> SecretStr | None:
        """Remove the end of the line that a file with a token often has; refuse what no header can hold."""
        text = "" if token is None else token.get_secret_value().strip()
        if not all("!" <= character <= "~" for character in text):
            raise ValueError("not a token")
        return SecretStr(text) if text else None

    @field_validator("home", "secrets_file")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser()

    @property
    def most_running(self) -> int | None:
        """Maximum number of long runs at the same time; None for no limit but the engine's."""
        return self.max_running or (1 if self.engine == "local" else None)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the catalog."""
        if self.database is None:
            return f"sqlite:///{self.home.absolute() / 'catalog.db'}"
        scheme, slashes, path = self.database.partition("sqlite:///")
        if scheme or not slashes or not path or path.startswith(("/", ":", "file:")):
            return self.database
        return f"sqlite:///{Path(path).absolute()}"  # runs have another current folder

    @property
    def storage_url(self) -> str:
        """Fsspec URL of the artifact store."""
        if self.storage is None:
            return str(self.home.absolute() / "artifacts")
        return self.storage if ":/" in self.storage else str(Path(self.storage).expanduser().absolute())

    @property
    def runs_dir(self) -> Path:
        """Folder with one working folder per run: its log and its scratch files."""
        return self.home.absolute() / "runs"

    @property
    def uploads_dir(self) -> Path:
        """Folder with the uploaded files that runs read."""
        return self.home.absolute() / "uploads"

    @property
    def previews_dir(self) -> Path:
        """Folder with one folder per uploaded file that is looked at before it is imported."""
        return self.home.absolute() / "previews"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the installation's settings, read once per process."""
    return Settings()


def unknown_variables() -> list[str]:
    """Return a sentence about each ``PLUMBLINE_*`` variable that is not a setting, such as one with a typing error."""
    env_file = Settings.model_config["env_file"]
    return unknown_settings(Settings, env_file if isinstance(env_file, Path) else None)
