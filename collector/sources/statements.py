"""The queries of `sql/`: their text for the configured catalogue, and what their headers say of them.

Knows nothing of who runs them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

SYSTEM = "system"
"""What the catalogue of the system tables is called unless a company shows them through views of its own."""
SOMEBODY = "<application id or user>"
"""Stands in the headers for whoever is granted something."""

FIELD = re.compile(r"-- (\w+):\s+(.*)")
CONTINUED = re.compile(r"-- {2,}(.*)")
TABLE = re.compile(rf"\b{SYSTEM}\.(?=\w+\.\w+)")
SECURABLE = re.compile(rf"(?<= CATALOG ){SYSTEM}\b|(?<= SCHEMA ){SYSTEM}(?=\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query on the system tables."""

    name: str
    """Of its file, without `.sql`; the label of its metrics."""
    purpose: str
    tables: tuple[str, ...]
    """That it reads, as `catalogue.schema.table`."""
    grants: tuple[str, ...]
    """That it needs, as statements to `SOMEBODY`, on the configured catalogue."""
    freshness: str
    parameters: tuple[str, ...]
    """Names, without colon."""
    text: str
    """Without header, on the configured catalogue."""

    def grants_to(self, principal: str) -> str:
        """The statements that an administrator runs so that the principal may ask this; `SOMEBODY` when it is empty."""
        named = quoted(principal) if principal else f"`{SOMEBODY}`"
        return " ".join(grant.replace(f"`{SOMEBODY}`", named) for grant in self.grants)


def names() -> tuple[str, ...]:
    """The names of all queries, in alphabetical order."""
    files = (file.name for file in resources.files(f"{__package__}.sql").iterdir())
    return tuple(sorted(name.removesuffix(".sql") for name in files if name.endswith(".sql")))


def query(name: str, catalog: str = SYSTEM) -> Query:
    """The query of that name on the catalogue, whose name is the only thing that is put into its text."""
    header, text = _parts(resources.files(f"{__package__}.sql").joinpath(f"{name}.sql").read_text("utf-8"))
    fields = dict(_fields(header))
    written = SYSTEM if catalog == SYSTEM else quoted(catalog)
    return Query(
        name=name,
        purpose=" ".join(fields["Purpose"]),
        tables=tuple(TABLE.sub(lambda _: f"{catalog}.", " ".join(fields["Tables"])).split(", ")),
        grants=tuple(SECURABLE.sub(lambda _: written, grant) for grant in fields["Grants"]),
        freshness=" ".join(fields["Freshness"]),
        parameters=tuple(re.findall(r"^:(\w+)", "\n".join(fields["Parameters"]), re.MULTILINE)),
        text=TABLE.sub(lambda _: f"{written}.", text),
    )


def _parts(content: str) -> tuple[list[str], str]:
    """The lines of the header, which an empty line ends, and the rest."""
    header, _, text = content.partition("\n\n")
    return header.splitlines(), text


def _fields(header: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The lines under each heading of the header."""
    lines: list[str] = []
    for line in header:
        if field := FIELD.fullmatch(line):
            lines = [field[2]]
            yield field[1], lines
        elif more := CONTINUED.fullmatch(line):
            lines.append(more[1])
        else:
            raise ValueError(f"not a line of a header: {line!r}")


def quoted(name: str) -> str:
    """The name as an identifier that can be nothing else."""
    return f"`{name.replace('`', '``')}`"
