"""nginx with the project's own configuration, on loopback ports and in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NAME", "NGINX", "free_port", "running_nginx"]

CONFIGURATION = Path(__file__).resolve().parents[1] / "deploy" / "nginx"
NGINX = shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx",) if Path(path).exists()), None)
NAME = "plumbline.example.org"
_MAIN = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/plumbline.conf;
}}
"""


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certificate(folder: Path) -> None:
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    name = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *files, *name]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running_nginx(folder: Path, web_ports: list[int], **replaced: str) -> Iterator[int]:
    """Run nginx in front of web processes, and yield the port that it takes TLS on.

    Only paths and ports of the shipped files are changed, and what `replaced` names.
    """
    assert NGINX is not None
    folder.mkdir(parents=True)
    _certificate(folder)
    port, plain = free_port(), free_port()
    servers = "\n".join(f"    server 127.0.0.1:{web};" for web in web_ports)
    for file in CONFIGURATION.glob("*.conf"):
        text = file.read_text()
        text = re.sub(r"(\s+server 127\.0\.0\.1:\d+[^;]*;)+", "\n" + servers, text)
        text = re.sub(r"\s+listen \[::\][^;]*;", "", text)
        text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace(
            "listen 80;", f"listen 127.0.0.1:{plain};"
        )
        text = text.replace(f"/etc/letsencrypt/live/{NAME}", str(folder)).replace("/var/log/nginx", str(folder))
        text = text.replace("include /etc/nginx/", f"include {folder}/")
        for before, after in replaced.items():
            assert before not in ("", after)
            text = re.sub(rf"(?m)^(\s*){before} [^;]*;", rf"\g<1>{before} {after};", text)
        (folder / file.name).write_text(text)
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder))
    as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
    command = [NGINX, "-c", str(main), "-p", str(folder), *as_root]
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        for _ in range(100):
            if process.poll() is not None:
                raise RuntimeError((folder / "output").read_text())
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)
