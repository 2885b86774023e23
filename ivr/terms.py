"""What differs from the rule by lender and by campaign: limits of offers, and the conversation itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ivr.flow import Flow
from ivr.offers import Limits

Given = Mapping[str, Any]  # fields of Limits that are given


@dataclass(frozen=True, slots=True)
class Terms:
    """`lenders` by `plain` name; a campaign's word counts before the lender's, the lender's before the rule."""

    lenders: Mapping[str, Given] = field(default_factory=dict)
    campaigns: Mapping[str, Given] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)  # by campaign

    def limits(self, rule: Limits, campaign: str, lender: str) -> Limits:
        """For a debt to this lender in this campaign."""
        given = {**self.lenders.get(plain(lender), {}), **self.campaigns.get(campaign, {})}
        return replace(rule, **given) if given else rule


def plain(lender: str) -> str:
    """A lender's name however its letters and spaces are written."""
    return " ".join(lender.casefold().split())
