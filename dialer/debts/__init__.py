"""A person's account: what he may be offered, what he promised and paid, what has been between us."""
