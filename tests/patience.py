"""How long the tests wait for what is to come: a bound for what never comes, and no measure of what is fast."""

PATIENCE = 8.0  # a wait that would do on a quiet machine, times this: three tests share two busy cores
