"""Agents and supervisors: what they may ask for, and what each command does on a floor."""
