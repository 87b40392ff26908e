"""The RPC methods of one accessor: list, get, create, update, delete and restore records of a model."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import ConflictError, InvalidInputError, LavenderTownError, NotFoundError
from lavendertown.database import ModelAccessor, model_rows
from lavendertown.database.model_keys import key_text
from lavendertown.database.model_rows import ModelField
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.errors import hook_refusal, one_sentence
from lavendertown.rpc.protocol.messages import read_present_fields
from lavendertown.rpc.protocol.paging import (
    DEFAULT_PAGE,
    MAX_PAGE,
    read_page_size,
    read_page_token,
    write_page_token,
)
from lavendertown.rpc.protocol.schema import (
    Call,
    FieldSpec,
    MessageSpec,
    MethodSpec,
    Role,
    check_identifier,
    pascal_case,
)

_ATTEMPTS = 3
_INT32 = range(-(2**31), 2**31)
_WIRE_TYPES = {
    **{name: name for name in ("bool", "int32", "int64", "double", "string", "bytes")},
    "datetime": "timestamp",
    "json": "value",
}
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "interval": lambda text: dt.timedelta(seconds=float(text)),
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
}
_ACTOR = FieldSpec("actor", "string", comment="For whom the caller acts.")


class ModelService:
    """The methods of one accessor.

    Args:
        accessor: The accessor.
        max_records: The largest number of live records; None for no limit.

    Raises:
        ConfigurationError: The model has a column or name that cannot be served.
    """

    def __init__(self, accessor: ModelAccessor[Any], max_records: int | None) -> None:
        self._accessor = accessor
        self._max_records = max_records
        self.name = accessor.component
        self.prefix = pascal_case(self.name)
        check_identifier(self.prefix, "component")
        self._fields = {each.name: each for each in model_rows.read_fields(accessor)}
        self._key = self._fields[accessor.mapped_model.key]
        self._soft = accessor.mapped_model.soft_deletes
        self._versioned = accessor.mapped_model.versioned

    def methods(self) -> tuple[MethodSpec, ...]:
        """Return the methods as parts of a service."""
        record = self.record_message()
        key = FieldSpec("record_id", _WIRE_TYPES.get(self._key.kind, "string"))
        answer = MessageSpec(f"{self.prefix}RecordResponse", (FieldSpec("record", record.name),))
        deleted_too = FieldSpec("include_deleted", "bool")
        listed = MessageSpec(
            f"{self.prefix}ListRecordsResponse",
            (
                FieldSpec("records", record.name, repeated=True),
                FieldSpec("next_page_token", "string", comment="Empty at the end."),
            ),
        )
        paging = (
            deleted_too,
            FieldSpec("page_size", "int32", comment=f"{DEFAULT_PAGE} by default, at most {MAX_PAGE}."),
            FieldSpec("page_token", "string", comment="The next_page_token of the page before."),
        )
        update = (
            key,
            FieldSpec("record", record.name, comment="Only the fields to change."),
            _ACTOR,
            FieldSpec("clear_fields", "string", repeated=True, comment="Names of fields to set to null."),
            FieldSpec("expected_version", "int32", optional=True, comment="Refuse any other version."),
        )
        return (
            self._method("ListRecords", paging, listed, self._list, is_read=True),
            self._method("GetRecord", (key, deleted_too), answer, self._get, is_read=True),
            self._method("CreateRecord", (FieldSpec("record", record.name), _ACTOR), answer, self._create),
            self._method("UpdateRecord", update, answer, self._update),
            self._method(
                "DeleteRecord",
                (key, _ACTOR),
                MessageSpec(f"{self.prefix}DeleteRecordResponse"),
                self._delete,
            ),
            self._method("RestoreRecord", (key, _ACTOR), answer, self._restore),
        )

    def record_message(self) -> MessageSpec:
        """Return the message of a record."""
        fields = (
            FieldSpec(each.name, _WIRE_TYPES.get(each.kind, "string"), optional=True)
            for each in self._fields.values()
        )
        return MessageSpec(f"{self.prefix}Record", tuple(fields))

    def _method(
        self,
        verb: str,
        request: tuple[FieldSpec, ...],
        response: MessageSpec,
        handler: Callable[[Any, Call], dict[str, Any]],
        is_read: bool = False,
    ) -> MethodSpec:
        old = {f"{self.prefix}_{verb}", f"{self.name[:1].upper()}{self.name[1:]}_{verb}"}
        return MethodSpec(
            name=f"{self.prefix}{verb}",
            request=MessageSpec(f"{self.prefix}{verb}Request", request),
            response=response,
            handler=handler,
            role=Role.READER if is_read else Role.WRITER,
            is_read=is_read,
            aliases=tuple(sorted(old)),
            messages=(self.record_message(),),
        )

    # The handlers

    def _list(self, request: Any, call: Call) -> dict[str, Any]:
        size = read_page_size(request.page_size)
        after = None
        if request.page_token:
            [after] = read_page_token(request.page_token, self._read_token_key)
        found = model_rows.read_page(self._accessor, size + 1, after, request.include_deleted)
        token = ""
        if len(found) > size:
            del found[size:]
            token = write_page_token(model_rows.key_to_json(getattr(found[-1], self._key.name)))
        return {"records": [self._values(row) for row in found], "next_page_token": token}

    def _get(self, request: Any, call: Call) -> dict[str, Any]:
        return {"record": self._values(self._row(self._request_key(request), request.include_deleted))}

    def _create(self, request: Any, call: Call) -> dict[str, Any]:
        values = self._given_values(request)
        if values.pop("deleted_at", None) is not None:
            raise InvalidInputError("A record cannot be created as deleted; leave deleted_at out.")
        if self._versioned:
            values.pop("version", None)
        row = model_rows.make_instance(self._accessor, values)
        actor = call.actor(request.actor)
        with _writing(request, call), model_rows.limited_transaction(self._accessor, self._max_records):
            with self._reporting_taken_key(row):
                made = self._accessor.insert(row, actor=actor)
            return self._written(getattr(made, self._key.name))

    def _update(self, request: Any, call: Call) -> dict[str, Any]:
        key = self._request_key(request)
        cleared = self._cleared_values(request)
        is_clearing_only = bool(cleared) and not request.HasField("record")
        given = {**({} if is_clearing_only else self._given_values(request)), **cleared}
        expected = self._expected_version(request, given)
        for attempt in range(1, _ATTEMPTS + 1):
            row = self._row(key)
            self._check_kept_fields(row, given)
            if expected is not None and row.version != expected:
                raise ConflictError(
                    f"{self.name} {key!r} is at version {row.version}, not {expected}; read it again and "
                    "repeat the change."
                )
            for name, value in given.items():
                setattr(row, name, value)
            try:
                with _writing(request, call), model_rows.limited_transaction(self._accessor, None):
                    self._accessor.save(row, actor=call.actor(request.actor))
                    return self._written(key)
            except ConflictError as error:
                if attempt == _ATTEMPTS or model_rows.is_unique_violation(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _delete(self, request: Any, call: Call) -> dict[str, Any]:
        key = self._request_key(request)
        with _writing(request, call):
            was_there = self._accessor.delete(key, actor=call.actor(request.actor))
        if not was_there:
            raise self._missing(key)
        return {}

    def _restore(self, request: Any, call: Call) -> dict[str, Any]:
        key = self._request_key(request)
        if not self._soft:
            raise ConnectError(
                Code.FAILED_PRECONDITION,
                f"Records of {self.name} are deleted for good, so none can be restored; the model has no "
                "deleted_at.",
            )
        row = self._row(key, include_deleted=True)
        if row.deleted_at is None:
            return {"record": self._values(row)}
        with _writing(request, call), model_rows.limited_transaction(self._accessor, self._max_records):
            self._accessor.restore(key, actor=call.actor(request.actor))
            return self._written(key)

    # Their parts

    def _row(self, key: Any, include_deleted: bool = False) -> Any:
        found = self._accessor.get(key, include_deleted=include_deleted)
        if found is None:
            raise self._missing(key)
        return found

    def _written(self, key: Any) -> dict[str, Any]:
        """Return the answer to a write, in its transaction: later the row may be somebody else's version."""
        written = model_rows.read_row(self._accessor, key)
        if written is None:
            raise self._missing(key)
        return {"record": self._values(written)}

    @contextlib.contextmanager
    def _reporting_taken_key(self, row: Any) -> Iterator[None]:
        """Turn the conflict about a new row's primary key into the code that says it is taken."""
        try:
            yield
        except ConflictError as error:
            key = getattr(row, self._key.name)
            if key is None or (error.kind, error.record_id) != (self.name, key_text(key)):
                raise
            raise ConnectError(Code.ALREADY_EXISTS, one_sentence(str(error))) from error

    def _missing(self, key: Any) -> NotFoundError:
        return NotFoundError(f"There is no record {str(key)!r} of {self.name}.")

    def _request_key(self, request: Any) -> Any:
        return self._from_wire(self._key, request.record_id)

    def _given_values(self, request: Any) -> dict[str, Any]:
        if not request.HasField("record"):
            raise InvalidInputError(f"The request has no record; send the fields of {self.name} in it.")
        given = read_present_fields(request.record)
        return {name: self._from_wire(self._fields[name], value) for name, value in given.items()}

    def _cleared_values(self, request: Any) -> dict[str, None]:
        for name in request.clear_fields:
            if name not in self._fields or name in (self._key.name, "deleted_at", "version"):
                raise InvalidInputError(f"The field {name!r} of {self.name} cannot be cleared.")
            if not self._accessor.mapped_model.columns[name].nullable:
                raise InvalidInputError(
                    f"The field {name!r} of {self.name} must have a value, so it cannot be cleared."
                )
        return dict.fromkeys(request.clear_fields)

    def _expected_version(self, request: Any, given: dict[str, Any]) -> int | None:
        """Return the version the caller saw: named in the request, or sent back with the record."""
        if not self._versioned:
            if request.HasField("expected_version"):
                raise InvalidInputError(f"{self.name} has no versions; leave expected_version out.")
            return None
        sent: int | None = given.pop("version", None)
        return int(request.expected_version) if request.HasField("expected_version") else sent

    def _check_kept_fields(self, row: Any, given: dict[str, Any]) -> None:
        """Refuse a change of the key or of deleted_at; sent back as they are, they are left alone."""
        for name in (self._key.name, *(("deleted_at",) if self._soft else ())):
            if name not in given:
                continue
            if self._comparable(given.pop(name)) != self._comparable(getattr(row, name)):
                how = "use DeleteRecord or RestoreRecord" if name == "deleted_at" else "create another record"
                raise InvalidInputError(f"{self.name}.{name} cannot be changed by an update; {how}.")

    @staticmethod
    def _comparable(value: Any) -> Any:
        return clock.to_utc(value, clock.UTC) if isinstance(value, dt.datetime) else value

    # Values

    def _values(self, row: Any) -> dict[str, Any]:
        return {name: self._to_wire(each, getattr(row, name)) for name, each in self._fields.items()}

    def _to_wire(self, each: ModelField, value: Any) -> Any:
        if value is None:
            return None
        if each.kind == "int32" and value not in _INT32:
            raise ConnectError(
                Code.OUT_OF_RANGE,
                f"{self.name}.{each.name} is {value}, more than 32 bits hold; declare the column as "
                "BigInteger.",
            )
        if each.kind in ("date", "time"):
            return value.isoformat()
        if each.kind == "interval":
            return repr(value.total_seconds())
        if each.kind == "enum":
            return getattr(value, "name", None) or str(value)
        if each.kind in ("decimal", "uuid"):
            return str(value)
        return json_codec.to_jsonable(value, f"{self.name}.{each.name}") if each.kind == "json" else value

    def _from_wire(self, each: ModelField, value: Any) -> Any:
        if value is None:
            return None
        if each.kind == "datetime":
            return value if each.has_zone else value.replace(tzinfo=None)
        if each.kind == "enum" and each.choices is not None:
            if value not in each.choices.__members__:
                known = ", ".join(each.choices.__members__)
                raise InvalidInputError(f"{self.name}.{each.name} is {value!r}; it must be one of {known}.")
            return each.choices[value]
        if each.kind not in _PARSERS:
            return value
        try:
            return _PARSERS[each.kind](value)
        except (ValueError, ArithmeticError) as error:
            raise InvalidInputError(
                f"{self.name}.{each.name} is {value!r}, which is no {each.kind}."
            ) from error

    def _read_token_key(self, value: Any) -> Any:
        """Return the key of a page token; raise a ValueError if no record of the model can have it."""
        if not isinstance(value, str if self._key.kind == "string" else str | int | float):
            raise ValueError("not a key")
        return model_rows.convert_key(self._accessor, value)


@contextlib.contextmanager
def _writing(request: Any, call: Call) -> Iterator[None]:
    """Record changes on behalf of the request's actor, and turn a hook's ValueError into a refusal."""
    try:
        with acting_for(call.on_behalf_of(request.actor)):
            yield
    except LavenderTownError:
        raise
    except ValueError as error:
        raise hook_refusal(error) from error
