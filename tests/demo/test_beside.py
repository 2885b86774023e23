"""What else could have been made of the demo's calls, from its records alone."""

from dialer.demo.beside import beside
from tests.test_simulate_recorded import shift

RECORDS, _ = shift()


def test_it_says_what_is_simulated_and_what_was() -> None:
    said = beside(RECORDS, "simulated", 0.03)
    assert "replayed on invented time" in said[0]
    assert "1 hour of such calls" in said[4]
    told = said[1:4] + said[5:]
    assert [line.split(",")[0].split(":")[0].strip() for line in told] == [
        "one call per free agent", "Santun", "as it was here", "one call per free agent", "Santun"
    ]  # fmt: skip
    assert all("% of live answers abandoned" in line for line in told)
    busy = [int(line.partition("wrap-up ")[2].partition("%")[0]) for line in said[5:]]
    assert busy[1] > busy[0]


def test_too_few_calls_are_not_compared() -> None:
    assert "not compared" in beside(RECORDS[:3], "simulated", 0.03)[0]
