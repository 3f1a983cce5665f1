"""The server side of the warehouse's Thrift protocol, as the connector's generated code defines it.

The only module that imports anything of `databricks`, and only the generated protocol: a description of the wire, which
would otherwise be generated here a second time. It carries no types, so its names are `Any`.
"""

from typing import Any

from databricks.sql.thrift_api.TCLIService import TCLIService as _Service
from databricks.sql.thrift_api.TCLIService import ttypes as _ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol as _TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer as _TMemoryBuffer
from thrift.transport.TTransport import TTransportException

__all__ = ["TTransportException", "process", "t"]

t: Any = _ttypes
"""The structures of the protocol."""


def process(handler: object, body: bytes) -> bytes:
    """Let the handler answer one call; EOFError or TTransportException when the body is no call."""
    arrived: Any = _TMemoryBuffer(body)
    leaving: Any = _TMemoryBuffer()
    processor: Any = _Service.Processor(handler)  # type: ignore[no-untyped-call]  # generated code has no types
    binary: Any = _TBinaryProtocol
    processor.process(binary(arrived), binary(leaving))
    return bytes(leaving.getvalue())
