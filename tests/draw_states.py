"""docs/states.md, drawn from the tables: `python -m tests.draw_states`."""

from pathlib import Path

from dialer import agents, calls

PAGE = Path(__file__).parents[1] / "docs" / "states.md"


def page() -> str:
    """The whole page."""
    return f"""# The life of a call, the life of an agent

Drawn from the tables in `dialer/calls.py` and `dialer/agents.py` by `python -m tests.draw_states`; a test holds this
page against them. A word that a table does not know in a state changes nothing. What stays in its state is not drawn.

## A call

```mermaid
{calls.diagram()}
```

## An agent

`back`, `wrapped` and `join_failed` of an agent without a leg lead to `raising` instead of `idle`.

```mermaid
{agents.diagram()}
```
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
