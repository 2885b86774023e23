"""Predictive dialer: list -> gate -> pace -> originate -> answer -> route -> outcome -> stream."""
