"""A campaign's floor: its calls, its team, the talks between them; what each event means, as actions."""
