"""What conversations say, by language: for the studio that records it, and to be rendered before the first call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivr.flow import Flow
from ivr.shipped import PAYMENT_REMINDER, call_back, shipped, wish

TEXTS: Mapping[str, Mapping[str, str]] = shipped().texts
PARTS = shipped().parts  # not sentences: they fill a slot of one
DEBT = shipped().debt  # dialogue.py refuses to say these to anyone not verified

Texts = Mapping[str, Mapping[str, str]]  # language -> name -> text


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences, and the words that fill their slots. A text of another flow than the payment reminder has that flow's
    name before its own: `wish/protect`."""

    sentences: Texts
    words: Texts

    def with_(self, other: "Said") -> "Said":
        """Both; where a name stands for two texts, the other's."""
        return Said(_both(self.sentences, other.sentences), _both(self.words, other.words))


def said(flows: Iterable[Flow]) -> Said:
    """All that these conversations say."""
    sentences: dict[str, dict[str, str]] = {}
    words: dict[str, dict[str, str]] = {}
    for flow in flows:
        folder = "" if flow.id == PAYMENT_REMINDER else f"{flow.id}/"
        for language, texts in flow.texts.items():
            for name, text in texts.items():
                kind = words if name in flow.parts else sentences
                kind.setdefault(language, {})[folder + name] = text
    return Said(sentences, words)


def _both(first: Texts, second: Texts) -> Texts:
    return {one: {**first.get(one, {}), **second.get(one, {})} for one in dict.fromkeys((*first, *second))}


SHIPPED = said((shipped(), wish(), call_back()))
