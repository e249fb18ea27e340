"""What every part of the policy file is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.policy.schema.vocabulary import Id, Line


class Part(BaseModel):
    """Any part of the file: an unknown key is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(Part):
    """What a thing is called, in Chinese and in English."""

    zh: Line
    en: Line


class Named(Part):
    """A thing with an id and titles."""

    id: Id
    title: Title
