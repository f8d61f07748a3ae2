"""How many visitors web processes serve behind nginx, while a search works: times, errors, memory, processor time.

    python -m benchmarks.load [HOME] [--visitors 5 10 20] [--processes 1 2] [--seconds 60] [--think 3] [--no-search]

HOME is an installation that `python -m core.demo HOME` filled; without it one is made, which takes minutes. Visitors
open pages of finished runs over WebSockets through nginx with the shipped configuration (limits are raised, since all
have one address here), think, and open the next page. Everything is on this machine, loopback only and bounded; the
visitors take processor time as well. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil

from benchmarks.nginx import NAME, NGINX, free_port, running_nginx
from benchmarks.streamlit_client import Visitor
from benchmarks.views import finished_views

ROOT = Path(__file__).resolve().parents[1]
MB = 2**20
SETTLE_S = 15.0
QUIET = 1.5
SEARCH = """
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import datasets
from core.tasks import automl
dataset = next(item for item in datasets.find(access=LOCAL) if "credit" in item.name.lower())
print(automl.submit(dataset, AutoMLSettings(target="credit", time_budget_s={budget}), access=LOCAL))
"""
LIMITS = {"PLUMBLINE_SOCKETS_PER_ADDRESS": "10000", "PLUMBLINE_REQUESTS_PER_MINUTE": "1000000"}


@dataclass
class Result:
    """What visitors saw of one number of processes."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Return a quantile of the times of views."""
        ordered = sorted(self.seconds) or [float("nan")]
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def start_web(home: Path, environment: dict[str, str]) -> tuple[int, subprocess.Popen[bytes]]:
    """Start a web process; return its port."""
    port = free_port()
    options = [f"port={port}", "headless=true", "fileWatcherType=none", "disconnectedSessionTTL=1"]
    names = [f"--server.allowedHosts={name}" for name in (NAME, "localhost", "127.0.0.1")]
    with open(home / f"web-{port}.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *(f"--server.{option}" for option in options), *names],
            cwd=ROOT,
            env=os.environ | environment | LIMITS,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return port, process


async def visit(
    url: str, pages: list[tuple[str, str]], until: float, think_s: float, result: Result, seed: int
) -> None:
    """Open pages one after the other until the time is over."""
    choose = random.Random(seed)
    visitor = Visitor(url, NAME)
    await asyncio.sleep(choose.random() * think_s)
    try:
        await asyncio.to_thread(visitor.get)
        await visitor.open()
        while time.monotonic() < until:
            page, query = choose.choice(pages)
            view = await asyncio.wait_for(visitor.view(page, query), 120)
            result.seconds.append(view.seconds)
            result.errors += view.errors
            await asyncio.sleep(choose.expovariate(1 / think_s))
    except (OSError, TimeoutError, AssertionError) as error:
        result.errors.append(f"{type(error).__name__}: {error}")
    finally:
        await visitor.close()


async def load(url: str, pages: list[tuple[str, str]], visitors: int, seconds: float, think_s: float) -> Result:
    """Let so many visitors open pages at the same time."""
    result, until = Result(), time.monotonic() + seconds
    await asyncio.gather(*(visit(url, pages, until, think_s, result, seed) for seed in range(visitors)))
    return result


def measure(home: Path, folder: Path, processes: int, options: argparse.Namespace) -> None:
    """Start so many web processes, and print a row for each number of visitors."""
    environment = {"PLUMBLINE_HOME": str(home)}
    pages = [(page, urlencode(query)) for page, query in finished_views(home).values()]
    with ExitStack() as stack:
        started = [start_web(home, environment) for _ in range(processes)]
        for _, process in started:
            stack.callback(process.wait)
            stack.callback(process.terminate)
        ports = [port for port, _ in started]
        raised = {
            "limit_req": "zone=plumbline_requests burst=100000 nodelay",
            "limit_conn": "plumbline_connections 10000",
        }
        port = stack.enter_context(running_nginx(folder, ports, **raised))
        url = f"https://127.0.0.1:{port}"
        for own in ports:
            asyncio.run(warm(f"http://127.0.0.1:{own}", pages))
        if not options.no_search:
            budget = len(options.visitors) * (options.seconds + SETTLE_S) + 60
            command = [sys.executable, "-c", SEARCH.format(budget=budget)]
            subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
        measured = [psutil.Process(process.pid) for _, process in started]
        for visitors in options.visitors:
            before, used = memory_mb(measured), cpu_s(measured)
            result = asyncio.run(load(url, pages, visitors, options.seconds, options.think))
            took = cpu_s(measured) - used
            time.sleep(SETTLE_S)
            views = max(len(result.seconds), 1)
            print(
                f"{processes:9} {visitors:8} {views:6} {views / options.seconds:7.1f} {result.quantile(0.5):6.2f} s "
                f"{result.quantile(0.95):6.2f} s {len(result.errors):6} {1000 * took / views:8.0f} ms "
                f"{before:7.0f} MB {memory_mb(measured):6.0f} MB",
                flush=True,
            )
            for text in sorted(set(result.errors))[:5]:
                print(f"    {text[:200]}")


async def warm(url: str, pages: list[tuple[str, str]]) -> None:
    """Show each page once, so that what it needs is loaded."""
    for _ in range(600):
        try:
            Visitor(url).get("/_stcore/health")
            break
        except OSError:
            await asyncio.sleep(0.1)
    visitor = Visitor(url)
    await visitor.open()
    for page, query in pages:
        await visitor.view(page, query)
    await visitor.close()


def memory_mb(processes: list[psutil.Process]) -> float:
    """Return the memory of web processes together."""
    return float(sum(process.memory_info().rss for process in processes)) / MB


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the processor time of web processes together."""
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", nargs="?", type=Path)
    parser.add_argument("--visitors", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--think", type=float, default=3.0)
    parser.add_argument("--no-search", action="store_true", help="no search works meanwhile")
    options = parser.parse_args()
    if NGINX is None:
        raise SystemExit("nginx is not installed (apt-get install nginx-light).")
    if os.getloadavg()[0] > QUIET:
        print(f"The load is {os.getloadavg()[0]:.1f}: other work takes part in what is measured.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="plumbline-load-") as scratch:
        filled = options.home or Path(scratch) / "filled"
        if options.home is None:
            subprocess.run([sys.executable, "-m", "core.demo", str(filled)], cwd=ROOT, check=True)
        print("processes visitors  views views/s    p50      p95   errors CPU/view     before      after")
        for processes in options.processes:
            home = Path(scratch) / f"home-{processes}"
            shutil.copytree(filled, home)
            measure(home, Path(scratch) / f"nginx-{processes}", processes, options)


if __name__ == "__main__":
    main()
