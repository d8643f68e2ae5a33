"""Where a run was made: versions, commit, processor and devices."""

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awl_vae
from awl_vae.system import read_json, write_json
from awl_vae.system.errors import install_hint
from awl_vae.system.words import quantity

PACKAGES = (
    "tensorflow",
    "keras",
    "numpy",
    "scikit-learn",
    "opencv-python-headless",
    "pillow",
    "simplejpeg",
    "matplotlib",
    "absl-py",
    "tensorboard",
    "scipy",
    "scikit-image",
    "elpv-dataset",
)


def environment(devices: list[str]) -> dict[str, Any]:
    """What `environment.json` holds; `devices` are those that TensorFlow sees."""
    return {
        "awl_vae": awl_vae.__version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "git_commit": _git_commit(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "devices": devices,
    }


def note_environment(path: Path, devices: list[str]) -> list[str]:
    """Writes `environment.json`, or compares it where it is there.

    Args:
        path: the file.
        devices: the devices that TensorFlow sees.

    Returns:
        What differs from the environment that the run was begun in.
    """
    now = environment(devices)
    if not path.exists():
        write_json(path, now)
        return []
    known = read_json(path)
    return [
        f"{name}: {known.get(name)} then, {value} now"
        for name, value in now.items()
        if known.get(name) != value
    ]


def information(devices: list[str]) -> Iterator[str]:
    """Lines that tell versions, devices and extras, for `awl-vae info`.

    Args:
        devices: the devices that TensorFlow sees.
    """
    commit = _git_commit()
    yield f"awl-vae {awl_vae.__version__}{f', commit {commit}' if commit else ''}"
    yield f"in {Path(awl_vae.__file__).parent}"
    yield f"Python {platform.python_version()}, {platform.platform()}"
    yield f"{_processor()}, {quantity(os.cpu_count() or 1, 'core')}"
    for name in PACKAGES:
        yield f"{name} {_version(name) or 'is not installed'}"
    yield f"Devices: {', '.join(devices)}"
    for extra, missing in _extras().items():
        names = missing if len(missing) <= 2 else [missing[0], f"{len(missing) - 1} more"]
        state = f"no {' and '.join(names)}; {install_hint(extra)}" if missing else "installed"
        yield f"Extra {extra}: {state}"


def _extras() -> dict[str, list[str]]:
    """By extra, which of its packages are missing."""
    try:
        known = importlib.metadata.metadata("awl-vae")
    except importlib.metadata.PackageNotFoundError:
        return {}
    return {
        extra: sorted(_missing("awl-vae", extra)) for extra in known.get_all("Provides-Extra") or []
    }


def _missing(package: str, extra: str) -> set[str]:
    """Which packages of an extra, and of the extras that it asks for, are not installed."""
    from packaging.requirements import Requirement

    missing = set()
    for text in importlib.metadata.requires(package) or []:
        wanted = Requirement(text)
        if wanted.marker is None or not wanted.marker.evaluate({"extra": extra}):
            continue
        if wanted.marker.evaluate({"extra": ""}):
            continue  # needed without the extra, too
        if _version(wanted.name) is None:
            missing.add(wanted.name)
        else:
            missing |= {name for each in wanted.extras for name in _missing(wanted.name, each)}
    return missing


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    # Of a checkout alone: an installation may lie in a repository of somebody else's.
    checkout = Path(awl_vae.__file__).parent.parent
    if not (checkout / ".git").exists():
        return None
    # The commit's full name, with "-dirty" where files were changed since.
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "-C", str(checkout), *describe]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
