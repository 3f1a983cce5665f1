"""Results on the wire: the schema that the client is told, and rows as columns or as Arrow batches."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import lz4.frame
import pyarrow as pa

from simulator.warehouse.protocol import t

TYPES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "BOOLEAN_TYPE"),
    (pa.types.is_int8, "TINYINT_TYPE"),
    (pa.types.is_int16, "SMALLINT_TYPE"),
    (pa.types.is_int32, "INT_TYPE"),
    (pa.types.is_integer, "BIGINT_TYPE"),
    (pa.types.is_float32, "FLOAT_TYPE"),
    (pa.types.is_floating, "DOUBLE_TYPE"),
    (pa.types.is_decimal, "DECIMAL_TYPE"),
    (pa.types.is_timestamp, "TIMESTAMP_TYPE"),
    (pa.types.is_date, "DATE_TYPE"),
    (pa.types.is_map, "MAP_TYPE"),
    (pa.types.is_list, "ARRAY_TYPE"),
    (pa.types.is_struct, "STRUCT_TYPE"),
    (pa.types.is_binary, "BINARY_TYPE"),
)
COLUMNS: Mapping[str, tuple[str, str, object]] = {
    "BOOLEAN_TYPE": ("boolVal", "TBoolColumn", False),
    "TINYINT_TYPE": ("byteVal", "TByteColumn", 0),
    "SMALLINT_TYPE": ("i16Val", "TI16Column", 0),
    "INT_TYPE": ("i32Val", "TI32Column", 0),
    "BIGINT_TYPE": ("i64Val", "TI64Column", 0),
    "FLOAT_TYPE": ("doubleVal", "TDoubleColumn", 0.0),
    "DOUBLE_TYPE": ("doubleVal", "TDoubleColumn", 0.0),
    "BINARY_TYPE": ("binaryVal", "TBinaryColumn", b""),
}
"""Member, structure and what stands for NULL; everything else goes as text."""
UTC = pa.timestamp("us", tz="Etc/UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the client wants its rows."""

    arrow: bool
    lz4: bool = False
    native_decimals: bool = True
    native_timestamps: bool = True
    native_nested: bool = True


def settled(table: pa.Table, engine_types: Sequence[str]) -> pa.Table:
    """The engine's result with the types that the warehouse has: long sums, and timestamps with their zone."""
    fields = [
        pa.field(field.name, _settled(field.type, kind))
        for field, kind in zip(table.schema, engine_types, strict=True)
    ]
    return table.cast(pa.schema(fields))


def metadata(table: pa.Table, form: Form) -> Any:
    """The answer to GetResultSetMetadata."""
    columns = [_description(field, place) for place, field in enumerate(table.schema, 1)]
    return t.TGetResultSetMetadataResp(
        status=t.TStatus(statusCode=t.TStatusCode.SUCCESS_STATUS),
        schema=t.TTableSchema(columns=columns),
        resultFormat=t.TSparkRowSetType.ARROW_BASED_SET
        if form.arrow
        else t.TSparkRowSetType.COLUMN_BASED_SET,
        lz4Compressed=form.arrow and form.lz4,
        arrowSchema=_formed(table.slice(0, 0), form).schema.serialize().to_pybytes() if form.arrow else None,
        isStagingOperation=False,
    )


def rows(table: pa.Table, offset: int, form: Form) -> Any:
    """The row set; `table` is the part that is sent, `offset` its place in the whole."""
    if not form.arrow:
        columns = [_column(field, column) for field, column in zip(table.schema, table.columns, strict=True)]
        return t.TRowSet(startRowOffset=offset, rows=[], columns=columns)
    batches = []
    for batch in _formed(table, form).to_batches():
        message = batch.serialize().to_pybytes()
        packed = lz4.frame.compress(message) if form.lz4 else message
        batches.append(t.TSparkArrowBatch(batch=packed, rowCount=batch.num_rows))
    return t.TRowSet(startRowOffset=offset, rows=[], arrowBatches=batches)


def _settled(kind: pa.DataType, engine_type: str) -> pa.DataType:
    if engine_type in {"HUGEINT", "UBIGINT", "UINTEGER"}:
        return pa.int64()
    if pa.types.is_timestamp(kind):
        return UTC
    if pa.types.is_null(kind) or pa.types.is_interval(kind):
        return pa.string()
    return kind


def _name(kind: pa.DataType) -> str:
    return next((name for fits, name in TYPES if fits(kind)), "STRING_TYPE")


def _description(field: pa.Field, place: int) -> Any:
    name = _name(field.type)
    qualifiers = None
    if name == "DECIMAL_TYPE":
        sizes = {"precision": field.type.precision, "scale": field.type.scale}
        values = {key: t.TTypeQualifierValue(i32Value=value) for key, value in sizes.items()}
        qualifiers = t.TTypeQualifiers(qualifiers=values)
    entry = t.TPrimitiveTypeEntry(type=getattr(t.TTypeId, name), typeQualifiers=qualifiers)
    kind = t.TTypeDesc(types=[t.TTypeEntry(primitiveEntry=entry)])
    return t.TColumnDesc(columnName=field.name, typeDesc=kind, position=place, comment="")


def _column(field: pa.Field, column: pa.ChunkedArray) -> Any:
    member, structure, nothing = COLUMNS.get(_name(field.type), ("stringVal", "TStringColumn", ""))
    values = column.to_pylist()
    nulls = bytearray((len(values) + 7) // 8)
    for place, value in enumerate(values):
        if value is None:
            nulls[place >> 3] |= 1 << (place & 7)
            values[place] = nothing
        elif member == "stringVal":
            values[place] = _text(dict(value) if pa.types.is_map(field.type) else value)
    return t.TColumn(**{member: getattr(t, structure)(values=values, nulls=bytes(nulls))})


def _text(value: object) -> str:
    """A value as the warehouse writes it where only text can go."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, default=str)
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)


def _plain(value: object) -> object:
    """Maps as objects; a map comes as a list of pairs."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        return {str(name): _plain(member) for name, member in value}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return value


def _formed(table: pa.Table, form: Form) -> pa.Table:
    """The Arrow table with text where the client wants no native type."""
    arrays = []
    for field, column in zip(table.schema, table.columns, strict=True):
        nested = pa.types.is_nested(field.type) and not form.native_nested
        exact = pa.types.is_decimal(field.type) and not form.native_decimals
        moment = pa.types.is_timestamp(field.type) and not form.native_timestamps
        if nested or exact or moment:
            values = [None if value is None else _text(value) for value in column.to_pylist()]
            arrays.append(pa.chunked_array([values], pa.string()))
        else:
            arrays.append(column)
    return pa.Table.from_arrays(arrays, names=table.column_names)
