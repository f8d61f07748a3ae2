"""Where a cluster of Kubernetes is and what Plumbline proves itself with; mistakes in files, each in a sentence."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import RemoteError, SettingsError
from core.jobs.launchers.kubernetes_access import cluster_access
from core.jobs.launchers.kubernetes_api import ApiServer
from core.jobs.launchers.kubernetes_template import read_template
from tests.jobs.fake_kubernetes import FakeKubernetes
from tests.unit.alerts.servers import certificate

NODES = "/api/v1/nodes"


@pytest.fixture
def encrypted(tmp_path):
    """A cluster behind TLS, and the file of its certificate authority."""
    authority, context = certificate(tmp_path, "127.0.0.1")
    fake = FakeKubernetes(tmp_path, {}, context)
    yield fake, authority
    fake.close()


def changed(path: Path, **parts: dict[str, Any]) -> Path:
    """Change the one cluster, user or context of a kubeconfig file."""
    content = json.loads(path.read_text())
    for noun, values in parts.items():
        content[f"{noun}s"][0][noun] |= values
    path.write_text(json.dumps(content))
    return path


def test_a_pod_uses_its_account_and_reads_its_token_anew(encrypted, tmp_path):
    fake, authority = encrypted
    account = tmp_path / "account"
    account.mkdir()
    (account / "ca.crt").write_text(authority.read_text())
    (account / "namespace").write_text("ml\n")
    (account / "token").write_text(f"{fake.token}\n")
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(fake.port)}
    access = cluster_access(None, environ, account)
    assert access.namespace == "ml"
    server = ApiServer(access)
    assert server.get(NODES)[0] == 200
    (account / "token").write_text("a new one")
    assert server.get(NODES)[0] == 401
    fake.token = "a new one"
    assert server.get(NODES)[0] == 200
    (account / "token").unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        server.get(NODES)


@pytest.mark.parametrize("is_inline", [True, False])
def test_the_certificate_of_the_server_is_checked(encrypted, tmp_path, is_inline):
    fake, authority = encrypted
    own = (
        {"certificate-authority-data": base64.b64encode(authority.read_bytes()).decode()}
        if is_inline
        else {"certificate-authority": authority.name}
    )
    file = fake.kubeconfig(tmp_path / "config", "https", **own)
    assert ApiServer(cluster_access(None, {"KUBECONFIG": str(file)})).get(NODES)[0] == 200
    (tmp_path / "another").mkdir()
    other, _ = certificate(tmp_path / "another", "127.0.0.1")
    file = fake.kubeconfig(tmp_path / "config", "https", **{"certificate-authority": str(other)})
    with pytest.raises(RemoteError, match=r"cannot be reached: .*certificate"):
        ApiServer(cluster_access(None, {"KUBECONFIG": str(file)})).get(NODES)


def test_a_client_certificate_is_read(encrypted, tmp_path):
    fake, authority = encrypted
    file = fake.kubeconfig(tmp_path / "config", "https", **{"certificate-authority": authority.name})
    changed(file, user={"client-certificate": "server.pem", "client-key": "server.key"})
    assert ApiServer(cluster_access(None, {"KUBECONFIG": str(file)})).get(NODES)[0] == 200
    changed(file, user={"client-key": "server.pem"})
    with pytest.raises(SettingsError, match="client certificate"):
        cluster_access(None, {"KUBECONFIG": str(file)})


def test_the_file_in_the_home_folder_and_the_token_of_the_setting(tmp_path):
    fake = FakeKubernetes(tmp_path, {})
    try:
        (tmp_path / ".kube").mkdir()
        file = changed(fake.kubeconfig(tmp_path / ".kube" / "config"), user={"token": "old"})
        access = cluster_access(fake.token, {"HOME": str(tmp_path)})
        assert ApiServer(access).get(NODES)[0] == 200
        changed(file, user={"token": None, "tokenFile": "token"})
        (file.parent / "token").write_text(fake.token)
        assert ApiServer(cluster_access(None, {"HOME": str(tmp_path)})).get(NODES)[0] == 200
        missing = f"{tmp_path / 'nothing'}:{file}"
        assert cluster_access(None, {"KUBECONFIG": missing}).port == fake.port
    finally:
        fake.close()


def test_a_path_of_a_proxy_comes_first(tmp_path):
    fake = FakeKubernetes(tmp_path, {})
    try:
        file = fake.kubeconfig(tmp_path / "config")
        changed(file, cluster={"server": f"http://127.0.0.1:{fake.port}/k8s/clusters/c-1/"})
        ApiServer(cluster_access(None, {"KUBECONFIG": str(file)})).get(NODES)
        assert fake.received[-1].startswith(f"GET /k8s/clusters/c-1{NODES}")
    finally:
        fake.close()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"cluster": {"server": "10.0.0.1:6443"}}, "has no address of an API server"),
        ({"cluster": {"server": "http://10.0.0.1:8080"}}, "reached without encryption"),
        ({"cluster": {"insecure-skip-tls-verify": True}}, "certificate that is not checked"),
        ({"cluster": {"proxy-url": "http://proxy"}}, "proxy-url, which is not supported"),
        ({"cluster": {"server": "https://a", "certificate-authority-data": "%"}}, "is not in base64"),
        ({"cluster": {"server": "https://a", "certificate-authority-data": "eA=="}}, "authority of the API server"),
        ({"cluster": {"server": "https://a", "certificate-authority": "none.pem"}}, "cannot be read: No such file"),
        ({"user": {"exec": {"command": "aws"}}}, r"has a program fetch the token \(exec\)"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "has a program fetch the token"),
        ({"user": {"username": "admin", "password": "x"}}, "signs in with a name and a password"),
        ({"context": {"cluster": "other"}}, "has no cluster 'other'"),
        ({"context": {"user": "other"}}, "has no user 'other'"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(tmp_path, parts, words):
    fake = FakeKubernetes(tmp_path, {})
    fake.close()
    file = changed(fake.kubeconfig(tmp_path / "config"), **parts)
    with pytest.raises(SettingsError, match=words) as error:
        cluster_access(None, {"KUBECONFIG": str(file)})
    assert error.value.hint


def test_a_cluster_that_nobody_named(tmp_path):
    with pytest.raises(SettingsError, match="no cluster is named"):
        cluster_access(None, {"HOME": str(tmp_path)})
    (tmp_path / "config").write_text("- 1")
    with pytest.raises(SettingsError, match="is not a kubeconfig file"):
        cluster_access(None, {"KUBECONFIG": str(tmp_path / "config")})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        ("a: [", "is not YAML in line"),
        ("", "holds no object"),
        ("apiVersion: v1\nkind: Pod", r"holds Pod \(v1\) and not a Job \(batch/v1\)"),
        ("apiVersion: batch/v1\nkind: Job", "Job has no spec"),
        ("apiVersion: batch/v1\nkind: Job\nspec: {}", "Job has no spec.template"),
        ("apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: []}}}", "Job has no container"),
        (
            "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: [{name: a}]}}}",
            "first container has no image",
        ),
        (
            "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: [{name: a, image: b, "
            "resources: {limits: {cpu: many}}}]}}}",
            "has cpu: 'many', which is not an amount",
        ),
    ],
)
def test_a_template_that_cannot_be_used(tmp_path, content, words):
    file = tmp_path / "job.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=words) as error:
        read_template(file)
    assert str(file) in error.value.message
    assert "deploy/kubernetes/job.yaml" in error.value.hint


def test_a_template_that_is_not_set():
    with pytest.raises(SettingsError, match="PLUMBLINE_ENGINE_TEMPLATE is not set"):
        read_template(None)
