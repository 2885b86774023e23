"""What a page may send to Asterisk: its own registration and its own call, nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.web.sip import BURST, PER_S, Allowance, ice_servers, may_send

ME = "agent1001"


def request(method: str, who: str = ME, whom: str = ME, tag: str = "", more: str = "") -> str:
    return (
        f"{method} sip:santun SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9\r\nFrom: <sip:{who}@santun>;tag=a\r\n"
        f"To: <sip:{whom}@santun>{tag}\r\n{more}Call-ID: 1\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("text", "let_through"),
    [
        (request("REGISTER"), True),
        (request("REGISTER").replace("From:", "f :").replace("To:", "t:"), True),
        (request("REGISTER", who="agent1002"), False),
        (request("REGISTER", whom="agent1002"), False),
        (request("REGISTER", who="agent10010", whom="agent10010"), False),
        (request("REGISTER", more="From: <sip:agent1002@santun>\r\n"), False),
        (request("REGISTER", more="f: <sip:agent1002@santun>\r\n"), False),
        (request("REGISTER").replace("From: ", 'From: "sip:agent1002@santun" '), False),
        (request("REGISTER", who="agent1002").replace("From: ", 'From: "sip:agent1001@santun" '), False),
        ("SIP/2.0 200 OK\r\n\r\n", True),
        ("\r\n\r\n", True),
        (request("INVITE"), False),  # nobody is called from here
        (request("INVITE", tag=";tag=b"), True),
        (request("BYE", tag=";tag=b"), True),
        (request("BYE", who="x7gh2", tag=" ; tag=b"), True),
        (request("BYE"), False),
        (request("INFO", tag=";tag=b"), True),
        (request("MESSAGE", tag=";tag=b"), False),
        (request("SUBSCRIBE"), False),
        (request("PUBLISH"), False),
        (request("OPTIONS"), False),
        (request("REFER", tag=";tag=b"), False),
        ("GET / HTTP/1.1\r\n\r\n", False),
        ("register sip:santun SIP/2.0\r\n\r\n", False),
        ("", True),
    ],
)
def test_what_may_be_sent(text: str, let_through: bool) -> None:
    assert may_send(text, ME) is let_through


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert may_send(text, ME) in (True, False)


@given(st.text(alphabet='agent10@:;<>"\r\n \tsipFrom', max_size=60))
def test_nobody_registers_as_somebody_else(name: str) -> None:
    text = request("REGISTER").replace("From: <sip:agent1001@santun>", f"From: {name}<sip:agent2002@santun>")
    assert not may_send(text, ME)


def test_a_burst_and_then_so_many_a_second() -> None:
    allowance = Allowance()
    assert sum(allowance.take(100.0) for _ in range(1000)) == BURST
    assert sum(allowance.take(100.0 + tenth / 8) for tenth in range(1, 9)) == 8
    assert sum(allowance.take(102.0) for _ in range(1000)) == 2 * PER_S - 8


def test_a_turn_server_lets_him_in_for_a_shift() -> None:
    """As coturn's use-auth-secret reckons it: base64(hmac-sha1(secret, "until:name"))."""
    stun, turn = ice_servers(["stun:turn.example.com", "turn:turn.example.com:3478"], "secret", "1001", 1_800_000_000.0)
    assert stun == {"urls": "stun:turn.example.com"}
    assert turn["username"] == "1800043200:1001"
    assert turn["credential"] == "9Mwwg8LpBKNJBNYYivBt51/+Zdk="
    assert ice_servers(["turn:turn.example.com"], "", "1001", 0.0) == [{"urls": "turn:turn.example.com"}]
