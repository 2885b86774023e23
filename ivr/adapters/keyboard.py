"""The Phone port on a terminal: what would be said is printed, what would be keyed is typed."""

from datetime import UTC, date, datetime, timedelta

from ivr import dialogue
from ivr.adapters.clock import SystemClock
from ivr.dialogue import Talk


def sample(today: date, language: str, agent: bool) -> Talk:
    """An invented debtor; his code is 1234."""
    return Talk(
        today=today, language=language, switch=True, caller="Dana Sejahtera", agent=agent, name="Budi Santoso",
        lender="Dana Sejahtera", product="pinjaman tunai" if language == "id" else "cash loan", amount=1_250_000,
        due=today - timedelta(days=3), secret_digits=4, proves=lambda keyed: keyed == "1234",
    )  # fmt: skip


def talk(language: str, agent: bool) -> int:
    """The conversation from beginning to end; nothing typed is silence, the end of input is a hang-up."""
    person = sample(datetime.fromtimestamp(SystemClock().now(), UTC).astimezone().date(), language, agent)
    turn = dialogue.begin(person)
    while True:
        for sentence in turn.say:
            print(f"  {sentence}")
        for name, value in turn.facts:
            print(f"    [{name} {value}]")
        if turn.end:
            print(f"    [{turn.end.result}: {turn.end.how}]")
            return 0
        try:
            turn = dialogue.hear(person, turn.state, input("> ").strip())
        except EOFError:
            return 0
