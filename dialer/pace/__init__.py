"""Pacing: what the pacer sees, expects, may risk and writes down; `dialer.pacing` decides."""
