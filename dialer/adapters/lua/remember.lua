#!lua
-- One entry more of a person's history.
-- KEYS history | ARGV most keep_s entry; returns whether it is new
-- with remember
return remember(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) and 1 or 0
