"""Intake's own tables."""

from __future__ import annotations

import sqlalchemy as sa

from services.intake.counts import Sightings
from services.intake.repeats import Matter
from shared.domain.aggregates import Record
from shared.storage.collection import Collection, aggregates

METADATA = sa.MetaData()

RECORDS = aggregates(METADATA, "records", Record)
"""One row per case: what was recorded."""

FINGERPRINTS = Collection(METADATA, "fingerprints", Matter, key=lambda matter: matter.fingerprint)
"""One row per fingerprint of words: the earliest case of each run of repeats."""

SIGHTINGS = Collection(METADATA, "sightings", Sightings, key=lambda sightings: sightings.key)
"""One row per matter or informant that the policy counts."""
