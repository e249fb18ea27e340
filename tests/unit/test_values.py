"""Whatever the house may write: both libraries read, write and describe it alike."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import jsonschema
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.embedded.catalogue import NAMES
from shared.bus.codec import Envelope, decode, encode
from shared.bus.protocol import Message
from shared.bus.reading import read_pack
from shared.domain.erasure import erased
from shared.domain.events import EVENTS
from shared.domain.model import Value
from shared.storage.collection import Collection

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
STORES = [vars(import_module(f"services.{name}.store")) for name in NAMES]
STORED = {
    found.model.__name__: found.model
    for store in STORES
    for found in store.values()
    if isinstance(found, Collection)
}
WRITTEN: dict[str, type[Value]] = {**EVENTS, **STORED}
ALONE = {"Chain"}
"""No field of anything that pydantic reads or writes; it has other ways for bytes."""


@cache
def anything_of(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever a field of this type may hold."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return st.one_of(*map(anything_of, parts))
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(anything_of(parts[0]), max_size=2).map(tuple)
    if origin in {dict, Mapping}:
        return st.dictionaries(*map(anything_of, parts), max_size=2)
    if issubclass(hint, Value):
        hints = get_type_hints(hint)
        fields = {name: anything_of(hints[name]) for name in hint.__struct_fields__}
        return st.builds(hint, **fields)
    return st.sampled_from(hint) if issubclass(hint, Enum) else _PLAIN[hint]


_PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(max_size=9),
    bytes: st.binary(max_size=9),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    types.NoneType: st.none(),
}


few = settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])


def test_all_that_is_stored_is_looked_at() -> None:
    assert {"Record", "Handling", "Clocks", "Judgement", "Dossier", "Notice"} < set(STORED)


@pytest.mark.parametrize("name", sorted(WRITTEN.keys() - ALONE))
@few
@given(data=st.data())
def test_a_value_is_read_as_it_was_written_by_either_library(
    name: str, data: st.DataObject
) -> None:
    model = WRITTEN[name]
    value = data.draw(anything_of(model))
    bridge = TypeAdapter(model)

    assert model.from_json(value.to_json()) == value
    assert model.from_plain(value.plain()) == value
    assert bridge.validate_json(value.to_json()) == value
    assert bridge.validate_python(value.plain()) == value
    assert bridge.dump_json(value).decode() == value.to_json()


@pytest.mark.parametrize("name", WRITTEN)
@few
@given(data=st.data())
def test_a_value_is_such_as_its_description_says(name: str, data: st.DataObject) -> None:
    model = WRITTEN[name]
    value = data.draw(anything_of(model))

    jsonschema.validate(json.loads(value.to_json()), TypeAdapter(model).json_schema())


@pytest.mark.parametrize("name", EVENTS)
@few
@given(data=st.data())
def test_an_event_goes_over_the_bus_unchanged(name: str, data: st.DataObject) -> None:
    event = data.draw(anything_of(EVENTS[name]))
    sent = [
        Envelope(id=id_, type=name, source="/x", subject=event.case_id, time=AT, data=event)
        for id_ in ("1", "2")
    ]
    message = Message("m", name, encode(sent))

    assert decode(message) == sent
    assert read_pack(message)


@pytest.mark.parametrize("name", WRITTEN)
@few
@given(data=st.data())
def test_an_erased_value_is_read_as_it_was_written(name: str, data: st.DataObject) -> None:
    model = WRITTEN[name]
    left = erased(data.draw(anything_of(model)), AT)

    assert model.from_json(left.to_json()) == left
