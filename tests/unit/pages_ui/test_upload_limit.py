"""The server takes uploads as large as the fields of the pages promise."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from streamlit import config

from core.settings import Settings
from core.tasks import onnx_upload
from pages._ui import frame

ROOT = Path(__file__).parents[3]


def test_the_configuration_has_the_default_of_the_setting() -> None:
    configured = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert configured["server"]["maxUploadSize"] == Settings.model_fields["max_upload_mb"].default


@pytest.mark.parametrize("limit", [4_096, 201, 1])
def test_the_server_follows_the_setting(installation: Any, tmp_path: Path, limit: int) -> None:
    before = config.get_option("server.maxUploadSize")
    try:
        with installation(tmp_path / "home", MAX_UPLOAD_MB=str(limit)):
            frame.follow_upload_limit()
            assert config.get_option("server.maxUploadSize") == max(limit, onnx_upload.LIMIT_MB)
    finally:
        config.set_option("server.maxUploadSize", before)
