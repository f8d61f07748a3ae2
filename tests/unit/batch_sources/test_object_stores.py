"""Folders of an object store as sources, by moto's server: listed, fetched, changed, refused."""

from __future__ import annotations

import json

import pytest

from core.batch_sources import look_at
from core.errors import DeniedError, PlumblineError
from tests.servers import moto

pytestmark = pytest.mark.nightly


def test_files_of_a_bucket_come_once(use, tmp_path):
    import s3fs

    with moto(tmp_path) as address:
        options = {"endpoint_url": address, "key": "testing", "secret": "testing", "client_kwargs": {}}
        wrong = options | {"endpoint_url": "http://127.0.0.1:9", "secret": "inner secret"}
        host = address.removeprefix("http://")
        use(
            PROFILE="team",
            OUTBOUND_HOSTS=f"{host}, 127.0.0.1:9",
            SECRET_FILES_A=json.dumps(options),
            SECRET_FILES_B=json.dumps(wrong),
        )
        bucket = s3fs.S3FileSystem(endpoint_url=address, key="testing", secret="testing")
        bucket.mkdir("scored")

        def look(before, url="s3://scored/x", **values):
            given = {"url": url, "credential": "FILES_A", "settle_s": 0} | values
            return look_at("folder", given, before, workspace="sales")

        bucket.pipe("scored/x/a.csv", b"a\n1\n")
        bucket.pipe("scored/x/inner/b.csv", b"a\n2\n")
        seen = look({})
        assert [batch.name for batch in seen.batches] == ["a.csv"]
        assert seen.fetch(seen.batches[0], tmp_path).read_bytes() == b"a\n1\n"
        seen.brought(seen.batches[0])
        assert look(seen.state()).batches == ()
        deep = look(seen.state(), pattern="**/*.csv")
        assert [batch.name for batch in deep.batches] == ["inner/b.csv"]
        assert deep.fetch(deep.batches[0], tmp_path).read_bytes() == b"a\n2\n"
        bucket.pipe("scored/x/a.csv", b"a\n3\n")
        again = look(seen.state())
        assert [batch.name for batch in again.batches] == ["a.csv"], "the tag of its content has changed"
        assert look({}, settle_s=600).notes
        assert [batch.name for batch in look({}, "s3://scored", pattern="**/*").batches] == ["x/inner/b.csv", "x/a.csv"]
        for values in ({"url": "s3://absent/x"}, {"credential": "FILES_B"}):
            with pytest.raises(PlumblineError, match="The folder cannot be read") as failed:
                look({}, **values)
            assert "inner secret" not in str(failed.value)
        use(PROFILE="team", SECRET_FILES_A=json.dumps(options))
        with pytest.raises(DeniedError):
            look({})
