"""An account of the agent's own campaign, found by what he was told: a number or an account in full, nothing less.

Rules of this file: who names nobody gets nobody, so a list cannot be read through; what is shown are the fields that
the operator shows to agents; each look is audited with the accounts that were found.
"""

import msgspec

from dialer.model import Contact
from dialer.web.api.desk_account import read
from dialer.web.api.desk_form import Find, Pop
from dialer.web.api.desk_orders import note_of
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import key_of_number, records
from dialer.web.route import Asked

FOUND_MAX = 5  # accounts with the same number


async def find(office: Office, asked: Asked[None, Find]) -> list[Pop]:
    """His accounts, as if they were shown before a call; the numbers masked, to be dialled by their place."""
    seen, wanted = await note_of(office, asked.who), asked.body
    if seen is None or seen.state == "signed_out":
        raise Problem(409, "not_ready", "Sign in to a campaign first.")
    found = [one for campaign, one in await _meant(office, wanted, seen.campaign) if campaign == seen.campaign]
    if not found:
        raise Problem(404, "not_listed", "No account of this campaign has it; only numbers of accounts are called.")
    asked.note = " ".join(one.id for one in found[:FOUND_MAX])
    shown = msgspec.structs.replace(seen, attempt="", number="", number_kind="", kind="", language="")
    each = [await read(office, msgspec.structs.replace(shown, contact=one.id), asked.at) for one in found[:FOUND_MAX]]
    return [one for one in each if one is not None]


async def _meant(office: Office, wanted: Find, campaign: str) -> list[tuple[str, Contact]]:
    """(campaign, account) of all that fit. Raises Problem 422."""
    if wanted.contact:
        one = await office.books.contact(campaign, wanted.contact)
        return [(campaign, one)] if one is not None else []
    if wanted.number.strip():
        places = await records(office).contacts_of(key_of_number(office, wanted.number))
    elif wanted.account.strip():
        places = tuple((await records(office).accounts(wanted.lender, wanted.account)).items())
    else:
        raise Problem(422, "nobody", "Name a number or an account.")
    return [(place.campaign, one) for place, one in places]
