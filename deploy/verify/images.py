"""The images that the installation is made of: here, pulled, or stood in for."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from deploy.verify.asking import Failed

ROOT = Path(__file__).parents[2]

KINDS = {
    "python": "python",
    "rabbitmq": "rabbitmq",
    "postgres": "postgres",
    "prom/prometheus": "prometheus",
}
"""What a stand-in has to be, by the image's name without its tag."""

PULL = 900
"""Seconds that an image may take to come."""


def wanted() -> list[str]:
    """The images named in docker-compose.yml and the Dockerfile, but our own."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    images = re.findall(r"^\s+image: (\S+)", compose, re.MULTILINE)
    return list(
        dict.fromkeys(bases + [name for name in images if not name.startswith("concentric")])
    )


def fetch(stand_ins: str | None) -> list[str]:
    """See that every image is here; those that are not and for which there is no stand-in.

    `stand_ins` is a command that is given `NAME:TAG=KIND` for each image that cannot be pulled.
    """
    missing = [image for image in wanted() if not _here(image) and not _pulled(image)]
    replaced = [image for image in missing if _kind(image)] if stand_ins else []
    if stand_ins and replaced:
        asked = [f"{image}={_kind(image)}" for image in replaced]
        print(f"         standing in: {' '.join(asked)}", flush=True)
        command = [*shlex.split(stand_ins), *asked]
        try:
            subprocess.run(command, check=True, timeout=PULL)
        except (OSError, subprocess.SubprocessError) as error:
            raise Failed(f"no stand-ins by {stand_ins}: {error}") from error
    return [image for image in missing if image not in replaced]


def _kind(image: str) -> str | None:
    return KINDS.get(image.rpartition(":")[0])


def _here(image: str) -> bool:
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


def _pulled(image: str) -> bool:
    print(f"         pulling {image}", flush=True)
    command = ["docker", "pull", "--quiet", image]
    try:
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PULL)
    except subprocess.TimeoutExpired:
        print(f"         not pulled within {PULL} s", flush=True)
        return False
    if result.returncode != 0:
        print(f"         not pulled: {result.stderr.strip().splitlines()[-1:]}", flush=True)
    return result.returncode == 0
