"""The files that users deploy with, read as their tools read them."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(*path: str) -> str:
    """A file below the top of the project."""
    return ROOT.joinpath(*path).read_text(encoding="utf-8")


def document(*path: str) -> Any:
    """A YAML file with one document."""
    return yaml.safe_load(text(*path))


def documents(*path: str) -> list[Any]:
    """A YAML file with several."""
    return [each for each in yaml.safe_load_all(text(*path)) if each]


def data(*path: str) -> Any:
    """A JSON file."""
    return json.loads(text(*path))


def blocks(kind: str, *path: str) -> list[str]:
    """The fenced blocks of this kind in a Markdown file."""
    return [body for found, body in BLOCK.findall(text(*path)) if found == kind]
