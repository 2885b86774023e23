"""What else could have been made of the demo's calls, from its records alone."""

from dialer.demo.beside import beside
from tests.test_simulate_recorded import shift

RECORDS, _ = shift()


def test_it_says_what_is_simulated_and_what_was() -> None:
    said = beside(RECORDS, "simulated", 0.03)
    assert "replayed on invented time" in said[0]
    assert [line.split(",")[0].split(":")[0].strip() for line in said[1:]] == [
        "one call per free agent", "Santun", "as it was here"
    ]  # fmt: skip
    assert all("% of live answers abandoned" in line for line in said[1:])


def test_too_few_calls_are_not_compared() -> None:
    assert "not compared" in beside(RECORDS[:3], "simulated", 0.03)[0]
