"""Every sentence of the shipped conversation, by language: flows/payment_reminder.id.toml and .en.toml."""

from collections.abc import Mapping

from ivr.shipped import shipped

TEXTS: Mapping[str, Mapping[str, str]] = shipped().texts
PARTS = shipped().parts  # not sentences: they fill a slot of one
DEBT = shipped().debt  # dialogue.py refuses to say these to anyone not verified
