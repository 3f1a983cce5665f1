"""Reads YAML without its surprises: a key that stands twice is an error, and an error never quotes the text."""

from typing import Any

import yaml

from collector.config.values import Mistake


class _Loader(yaml.SafeLoader):
    """Plain values only. A key that stands twice is refused: the first one would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 – the library's signature
        """The table."""
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise _Twice(problem_mark=key.start_mark)
                keys.add(key.value)
        return super().construct_mapping(node, deep)


class _Twice(yaml.MarkedYAMLError):
    """A key stands twice in a table."""


def document(text: str) -> object:
    """What the text says; raises `Mistake`. Parser messages are left out, because they repeat what may be a secret."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 – a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        if isinstance(error, _Twice):
            raise Mistake(f"{where}: the key stands there a second time; keep one") from None
        raise Mistake(
            f"{where}: is not YAML; indent with spaces, and quote texts with special characters"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError):  # such as a date that is none
        raise Mistake("somewhere: is not YAML; quote texts with special characters") from None
