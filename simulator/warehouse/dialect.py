"""Turns a Databricks statement into one of the embedded engine: names, rights, parameters, the time, and arithmetic."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from simulator.clock import instant
from simulator.warehouse.refusal import Refused, no_column, no_parameter, no_table, read_only, syntax
from simulator.warehouse.rights import Rights

PARAMETER_TYPES = {"VOID": "STRING"}
"""A parameter without a value has a type nevertheless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A parameter: its type as SQL text, and its value as text or as a list of parameters for an array."""

    kind: str
    value: "str | tuple[Given, ...] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a statement is run, and for whom."""

    catalog: str
    """What the catalog `system` is called here."""
    columns: Mapping[str, Mapping[str, str]]
    """`schema.table` → column → type, of the schemas that are enabled."""
    rights: Rights
    principal: str
    now_ms: int
    default_catalog: str = ""
    default_schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A statement of the engine, and the system tables that it reads."""

    sql: str
    tables: frozenset[str]
    names: tuple[str, ...] = ()
    """What the columns of the result are called; empty where the engine's names are right."""


def translated(
    statement: str, named: Mapping[str, Given], positional: Iterable[Given], context: Context
) -> Translated:
    """The statement for the engine; Refused when it may not or cannot be run."""
    tree = _parsed(statement)
    if isinstance(tree, exp.Describe):
        return Translated(sql=_description(tree, context), tables=frozenset())
    if not isinstance(tree, exp.Query):
        raise read_only(type(tree).__name__.upper())
    _bind(tree, named, iter(positional))
    _name_tables(tree)
    tables = frozenset(_located(table, context) for table in list(_real_tables(tree)))
    _set_time(tree, context.now_ms)
    _count_whole_units(tree)
    names = () if tree.is_star else tuple(item.output_name or item.sql("databricks") for item in tree.selects)
    return Translated(sql=_with_decimals(tree, context).sql("duckdb"), tables=tables, names=names)


def _parsed(statement: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(statement, read="databricks") if tree is not None]
    except SqlglotError as error:
        raise syntax(_place(error)) from None
    if len(trees) != 1:
        raise syntax("end of input" if not trees else "';'")
    return trees[0]


def _place(error: SqlglotError) -> str:
    """What the parser stumbled over, and where."""
    for found in getattr(error, "errors", ()):
        return f"'{found['highlight']}' (line {found['line']}, pos {found['col']})"
    return "the statement"


def _real_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Every table that is not a name of the statement's own."""
    own = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.lower() not in own):
            yield table


def _located(table: exp.Table, context: Context) -> str:
    """Point the name at the table of the engine that it means, which is `schema.table`."""
    name = _checked(table, context)
    schema, _, plain = name.partition(".")
    table.set("catalog", None)
    table.set("db", exp.to_identifier(schema))
    table.set("this", exp.to_identifier(plain))
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(plain)))
    return name


def _checked(table: exp.Table, context: Context) -> str:
    """`schema.table`, which exists and may be read."""
    catalog = (table.catalog or context.default_catalog or "hive_metastore").lower()
    schema = (table.db or context.default_schema or "default").lower()
    name = f"{schema}.{table.name.lower()}"
    if catalog != context.catalog.lower() or name not in context.columns:
        written = ".".join(part for part in (table.catalog, table.db, table.name) if part)
        raise no_table(written)
    context.rights.check_table(context.principal, context.catalog, name)
    return name


def _bind(tree: exp.Expr, named: Mapping[str, Given], positional: Iterator[Given]) -> None:
    """Put the values in the place of the markers, each with its type."""
    for marker in list(tree.find_all(exp.Placeholder)):
        is_named = marker.name not in {"", "?"}
        given = named.get(marker.name) if is_named else next(positional, None)
        if given is None:
            raise no_parameter(marker.name or "_1")
        marker.replace(_literal(given))


def _name_tables(tree: exp.Expr) -> None:
    """`IDENTIFIER('…')` in the place of a table is the table of that name."""
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        if isinstance(call, exp.Anonymous) and call.name.upper() == "IDENTIFIER":
            named = exp.to_table(_constant(call.expressions[0]), dialect="databricks")
            named.set("alias", table.args.get("alias"))
            table.replace(named)


def _constant(node: exp.Expr) -> str:
    """The text of an expression that is made of literals."""
    match node:
        case exp.Literal():
            return str(node.this)
        case exp.Cast() | exp.Paren():
            return _constant(node.this)
        case exp.DPipe():
            return _constant(node.this) + _constant(node.expression)
        case exp.Concat():
            return "".join(map(_constant, node.expressions))
        case _:
            text = f"The expression of IDENTIFIER must be a constant string, not {node.sql('databricks')}."
            raise Refused("NOT_A_CONSTANT_STRING.NOT_CONSTANT", text, "42601")


def _literal(given: Given) -> exp.Expr:
    if isinstance(given.value, tuple):
        return exp.Array(expressions=[_literal(element) for element in given.value])
    value = exp.null() if given.value is None else exp.Literal.string(given.value)
    kind = PARAMETER_TYPES.get(given.kind.upper(), given.kind)
    try:
        return exp.cast(value, exp.DataType.build(kind, dialect="databricks"))
    except SqlglotError:
        raise Refused("INVALID_PARAMETER_TYPE", f"The type {given.kind!r} is not known.", "42K0E") from None


def _set_time(tree: exp.Expr, now_ms: int) -> None:
    """The current time is that of the simulated workspace."""
    now = instant(now_ms)
    for node in list(tree.find_all(exp.CurrentTimestamp, exp.CurrentDate)):
        if isinstance(node, exp.CurrentDate):
            node.replace(exp.cast(exp.Literal.string(now.date().isoformat()), "date"))
        else:
            text = now.strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
            node.replace(exp.cast(exp.Literal.string(text), "timestamptz"))


def _count_whole_units(tree: exp.Expr) -> None:
    """Differences count whole units, not the boundaries between; Unix time is whole; days added to a day give a day."""
    for node in list(tree.find_all(exp.DateDiff, exp.TimestampDiff)):
        unit = node.text("unit").lower()
        if isinstance(node, exp.DateDiff) and unit in {"", "day"}:
            continue  # `datediff(end, start)` counts days by their dates; a parsed tree no longer tells it apart
        part = exp.Literal.string(unit)
        node.replace(exp.Anonymous(this="date_sub", expressions=[part, node.expression, node.this]))
    for node in list(tree.find_all(exp.StrToUnix)):
        epoch = exp.Anonymous(this="epoch", expressions=[exp.cast(node.this, "timestamptz")])
        node.replace(exp.cast(exp.Anonymous(this="floor", expressions=[epoch]), "bigint"))
    for node in list(tree.find_all(exp.TsOrDsAdd)):
        node.replace(exp.cast(node.copy(), "date"))


def _with_decimals(tree: exp.Expr, context: Context) -> exp.Expr:
    """The statement with names resolved and with decimals multiplied as Databricks does it."""
    nested: defaultdict[str, dict[str, object]] = defaultdict(dict)
    for name, columns in context.columns.items():
        schema, _, table = name.partition(".")
        nested[schema][table] = dict(columns)
    known = MappingSchema({**nested}, dialect="databricks")
    try:
        tree = qualify(tree, schema=known, dialect="databricks", validate_qualify_columns=True)
    except OptimizeError as error:
        raise _unresolved(error) from None
    tree = annotate_types(tree, schema=known, dialect="databricks")
    for product in list(tree.find_all(exp.Mul)):
        if all(side.is_type(exp.DataType.Type.DECIMAL) for side in (product.left, product.right)):
            product.replace(exp.func("multiplied_decimals", product.left.copy(), product.right.copy()))
    return tree


def _unresolved(error: OptimizeError) -> Refused:
    text = str(error).partition("\n")[0]
    found = re.search(r"Column '([^']+)'|Unknown column: (\S+)", text)
    return no_column((found[1] or found[2]).strip('"') if found else text)


def _description(tree: exp.Describe, context: Context) -> str:
    """`DESCRIBE TABLE`: a row for each column."""
    table = tree.this
    if not isinstance(table, exp.Table):
        raise syntax("'DESCRIBE'")
    columns = context.columns[_checked(table, context)]
    rows = ", ".join(f"('{name}', '{kind}', NULL)" for name, kind in columns.items())
    return f"SELECT * FROM (VALUES {rows}) AS described(col_name, data_type, comment)"  # noqa: S608  (names of ours)
