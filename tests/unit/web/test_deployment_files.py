"""What is shipped for operators fits together: names, ports, packages."""

from __future__ import annotations

import importlib.util
import re
from configparser import RawConfigParser
from dataclasses import fields
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from core.settings import Settings
from web.limits import LIMITS, WebLimits

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
CONFIGURATION = (DEPLOY / "nginx" / "plumbline.conf").read_text()


def test_the_lock_has_every_requirement_with_a_hash_and_no_place() -> None:
    text = (DEPLOY / "requirements.lock").read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9.-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}$", text))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == 2 * len(locked)
    assert not re.search(r"file:|https?:|@", "\n".join(lines))
    for name in ("requirements.txt", "requirements-server.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if wanted := line.split("#")[0].strip():
                requirement = Requirement(wanted)
                version = locked[requirement.name.lower().replace("_", "-")]
                assert requirement.specifier.contains(version), wanted


def test_containers_and_units_name_files_that_are_there() -> None:
    compose = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())
    assert {"web1", "web2", "nginx", "database", "storage", "bucket"} == set(compose["services"])
    hosts = compose["x-web"]["environment"]["STREAMLIT_SERVER_ALLOWED_HOSTS"]
    assert hosts.split() == ["${PLUMBLINE_NAME:?}", "localhost", "127.0.0.1"]  # Streamlit reads words, no list
    for volume in compose["services"]["nginx"]["volumes"]:
        if volume.startswith((".", "/")):
            assert (DEPLOY / "docker" / volume.split(":")[0]).resolve().exists(), volume
    for line in (DEPLOY / "docker" / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY"):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "systemd" / "plumbline@.service")
    assert "--server.port=%i" in unit["Service"]["ExecStart"]
    assert unit["Service"]["KillMode"] == "process"


def test_the_proxy_passes_on_the_address_that_it_saw_and_nothing_of_the_machine() -> None:
    proxy = (DEPLOY / "nginx" / "plumbline_proxy.conf").read_text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy
    for name in ("X-Real-IP", "Forwarded", "X-Forwarded-Host"):
        assert f'proxy_set_header {name} "";' in proxy
    assert "client_header_timeout" in CONFIGURATION
    location = re.search(r"location ~ (\S+) \{\s+return 403", CONFIGURATION)
    assert location is not None
    for path in ("/metrics", "/ready", "/_stcore/metrics", "/_stcore/agent/interact"):
        assert re.match(location[1], path)
    assert not re.match(location[1], "/metrics-of-a-model")


def test_the_operators_guide_has_the_limits_of_each_profile() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    rows = {row[0]: row[1:] for row in re.findall(r"(?m)^\| `(\w+)`: [^|]+ \| (\S+) \| (\S+) \| (\S+) \|$", guide)}
    for field in fields(WebLimits):
        assert rows[field.name] == tuple(f"{getattr(LIMITS[name], field.name):,}" for name in ("local", "team", "demo"))


def test_what_the_operators_guide_names_is_there() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    for path in re.findall(r"`((?:deploy|benchmarks|core|web)/[\w./@-]+)`", guide):
        assert path.endswith("/.env") or (ROOT / path).exists(), path
    for module in re.findall(r"python -m ([\w.]+)", guide):
        assert importlib.util.find_spec(module) is not None, module
    settings = set(re.findall(r"PLUMBLINE_(?!SECRET_)([A-Z_]+)", guide)) - {""}  # those are names of credentials
    assert {name.lower() for name in settings} <= set(Settings.model_fields)
