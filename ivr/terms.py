"""What differs from the rule by lender and by campaign: limits of offers, and the conversation itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.debts import plans
from ivr.flow import Flow


@dataclass(frozen=True, slots=True)
class Terms(plans.Terms):
    """With the flows of campaigns that have one of their own."""

    flows: Mapping[str, Flow] = field(default_factory=dict)
