"""Answers the Thrift calls of one request: who asks is known, what is asked for is looked up or run."""

from collections.abc import Mapping
from typing import Any

from simulator.warehouse.dialect import Given
from simulator.warehouse.operations import Operations
from simulator.warehouse.protocol import t
from simulator.warehouse.results import Form, metadata, rows
from simulator.warehouse.session import Operation, Session

STATES = {
    "PENDING": "PENDING_STATE",
    "RUNNING": "RUNNING_STATE",
    "FINISHED": "FINISHED_STATE",
    "ERROR": "ERROR_STATE",
    "CANCELED": "CANCELED_STATE",
}


class Limits:
    """What the warehouse gives at a time."""

    rows_per_fetch = 20_000
    direct_s = 2.0
    """Real seconds for which a new statement is waited for."""
    hold_s = 1.0
    """Real seconds for which the question for a state is held."""


class Service:
    """One caller's view of the warehouse. The methods are named as the protocol names them."""

    def __init__(self, operations: Operations, limits: Limits, principal: str, user_agent: str) -> None:
        self._operations = operations
        self._limits = limits
        self._principal = principal
        self._user_agent = user_agent

    def OpenSession(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """A session with the namespace and configuration that the client wants."""
        namespace = request.initialNamespace
        session = Session(
            principal=self._principal,
            user_agent=self._user_agent,
            catalog=(namespace and namespace.catalogName) or "",
            schema=(namespace and namespace.schemaName) or "",
            configuration=request.configuration or {},
        )
        wrong = [text for text in (_wrong_timeout(session.configuration),) if text]
        if wrong:
            return t.TOpenSessionResp(status=_error(wrong[0]), serverProtocolVersion=_version())
        self._operations.open(session)
        return t.TOpenSessionResp(
            status=_success(),
            serverProtocolVersion=_version(),
            sessionHandle=t.TSessionHandle(sessionId=_handle(session.guid), serverProtocolVersion=_version()),
            canUseMultipleCatalogs=True,
            initialNamespace=namespace,
        )

    def CloseSession(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """Forget the session."""
        guid = request.sessionHandle.sessionId.guid
        known = self._operations.session(guid, self._principal)
        if known:
            self._operations.close_session(guid)
        return t.TCloseSessionResp(status=_success() if known else _invalid("SessionHandle", guid))

    def ExecuteStatement(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """Start the statement; with direct results wait a while for it."""
        guid = request.sessionHandle.sessionId.guid
        session = self._operations.session(guid, self._principal)
        if session is None:
            return t.TExecuteStatementResp(status=_invalid("SessionHandle", guid))
        named, positional = _parameters(request.parameters or ())
        operation = Operation(
            session=session,
            statement=request.statement,
            named=named,
            positional=positional,
            form=_form(request),
            tags=(request.confOverlay or {}).get("query_tags", ""),
        )
        self._operations.start(operation)
        handle = t.TOperationHandle(
            operationId=_handle(operation.guid),
            operationType=t.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        direct = None
        if request.getDirectResults:
            operation.done.wait(self._limits.direct_s)
            direct = self._direct(operation, request.getDirectResults)
        return t.TExecuteStatementResp(status=_success(), operationHandle=handle, directResults=direct)

    def GetOperationStatus(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """The state, after a little while if the statement is still running."""
        operation = self._operations.operation(request.operationHandle.operationId.guid)
        if operation is None:
            guid = request.operationHandle.operationId.guid
            return t.TGetOperationStatusResp(status=_invalid("OperationHandle", guid))
        operation.done.wait(self._limits.hold_s)
        return _status(operation)

    def GetResultSetMetadata(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """The columns of a finished statement."""
        operation = self._operations.operation(request.operationHandle.operationId.guid)
        if operation is None or operation.table is None:
            return t.TGetResultSetMetadataResp(status=_without_result(operation, request))
        return metadata(operation.table, operation.form)

    def FetchResults(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """The next rows of a finished statement."""
        operation = self._operations.operation(request.operationHandle.operationId.guid)
        if operation is None or operation.table is None:
            return t.TFetchResultsResp(status=_without_result(operation, request))
        return self._page(operation, request.maxRows, request.maxBytes)

    def CancelOperation(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """Cancel the statement."""
        guid = request.operationId.guid if hasattr(request, "operationId") else _guid(request)
        operation = self._operations.operation(guid)
        if operation:
            operation.cancel()
        return t.TCancelOperationResp(status=_success() if operation else _invalid("OperationHandle", guid))

    def CloseOperation(self, request: Any) -> Any:  # noqa: N802  (the protocol's name)
        """Forget the statement and its result."""
        self._operations.close_operation(_guid(request))
        return t.TCloseOperationResp(status=_success())

    def _direct(self, operation: Operation, wanted: Any) -> Any:
        if not operation.done.is_set() or operation.table is None:
            return t.TSparkDirectResults(operationStatus=_status(operation))
        page = self._page(operation, wanted.maxRows, wanted.maxBytes)
        described = metadata(operation.table, operation.form)
        closed = None
        if not page.hasMoreRows:
            self._operations.close_operation(operation.guid)
            closed = t.TCloseOperationResp(status=_success())
        return t.TSparkDirectResults(
            operationStatus=_status(operation),
            resultSetMetadata=described,
            resultSet=page,
            closeOperation=closed,
        )

    def _page(self, operation: Operation, most_rows: int, most_bytes: int | None) -> Any:
        """The next rows, no more than the client wants and the warehouse gives at a time."""
        table = operation.table
        if table is None:
            raise ValueError("the statement has no result")
        each = max(1, table.nbytes // max(1, table.num_rows))
        most = max(1, min(most_rows, self._limits.rows_per_fetch, (most_bytes or 2**31) // each))
        part = table.slice(operation.offset, most)
        found = rows(part, operation.offset, operation.form)
        operation.offset += part.num_rows
        self._operations.returned(operation.session, part.num_rows)
        return t.TFetchResultsResp(
            status=_success(),
            hasMoreRows=operation.offset < table.num_rows,
            results=found,
            resultSetMetadata=metadata(table, operation.form),
        )


def _success() -> Any:
    return t.TStatus(statusCode=t.TStatusCode.SUCCESS_STATUS)


def _error(text: str, sql_state: str = "") -> Any:
    return t.TStatus(
        statusCode=t.TStatusCode.ERROR_STATUS,
        errorMessage=text,
        displayMessage=text,
        sqlState=sql_state or None,
    )


def _invalid(what: str, guid: bytes) -> Any:
    text = f"Invalid {what}: {what} [{guid.hex()}]"
    return t.TStatus(statusCode=t.TStatusCode.INVALID_HANDLE_STATUS, errorMessage=text, displayMessage=text)


def _without_result(operation: Operation | None, request: Any) -> Any:
    if operation is None:
        return _invalid("OperationHandle", _guid(request))
    return _error(f"The statement has no result: it is {operation.state}.", "HY010")


def _guid(request: Any) -> bytes:
    return bytes(request.operationHandle.operationId.guid)


def _version() -> int:
    return int(t.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7)


def _handle(guid: bytes) -> Any:
    return t.THandleIdentifier(guid=guid, secret=guid)


def _status(operation: Operation) -> Any:
    refused = operation.refused if operation.state == "ERROR" else None
    text = str(refused) if refused else None
    return t.TGetOperationStatusResp(
        status=_success(),
        operationState=getattr(t.TOperationState, STATES[operation.state]),
        errorMessage=text,
        displayMessage=text,
        sqlState=refused.sql_state if refused else None,
        hasResultSet=operation.state == "FINISHED",
    )


def _form(request: Any) -> Form:
    native = request.useArrowNativeTypes or t.TSparkArrowTypes()
    return Form(
        arrow=bool(request.canReadArrowResult),
        lz4=bool(request.canDecompressLZ4Result),
        native_decimals=bool(native.decimalAsArrow),
        native_timestamps=bool(native.timestampAsArrow),
        native_nested=bool(native.complexTypesAsArrow),
    )


def _wrong_timeout(configuration: Mapping[str, str]) -> str:
    """What is wrong with STATEMENT_TIMEOUT; empty when nothing is."""
    for name, value in configuration.items():
        if name.upper() == "STATEMENT_TIMEOUT" and not value.isdigit():
            return f"[INVALID_CONF_VALUE] The value '{value}' in the config \"{name}\" is invalid. SQLSTATE: 22022"
    return ""


def _parameters(given: Any) -> tuple[dict[str, Given], tuple[Given, ...]]:
    """Named and positional parameters."""
    read = [(parameter.name, _parameter(parameter)) for parameter in given]
    named = {name: value for name, value in read if name}
    return named, tuple(value for name, value in read if not name)


def _parameter(parameter: Any) -> Given:
    if parameter.arguments is not None:
        return Given(kind="ARRAY", value=tuple(_parameter(element) for element in parameter.arguments))
    value = parameter.value
    if value is not None and not isinstance(value, str):
        value = value.stringValue
    return Given(kind=parameter.type or "STRING", value=value)
