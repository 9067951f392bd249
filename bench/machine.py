"""What a run was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "asyncpg", "aiosqlite", "orjson")


def describe(databases: Mapping[str, str]) -> list[str]:
    """Lines about the machine, without its name: hardware, system, databases (name → version), packages."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        f"{cores} cores ({_processor()}), {memory:.0f} GiB memory, {platform.system()} on {platform.machine()}",
        ", ".join([python, *_named(databases.items())]),
        ", ".join(_named((name, version(name)) for name in _PACKAGES)),
    ]


def _named(versions: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name} {number}" for name, number in versions]


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None) or platform.processor() or "unknown processor"
