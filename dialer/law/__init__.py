"""The law: rule packs, what an operator tightens, hours and days, abandon rates, the log that proves each decision."""
