#!lua
-- A fact the IVR learnt, once per number in the order, and a word to the engine.
-- KEYS facts told | ARGV seq json keep_ms attempt
local new = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if new == 1 then
  redis.call('PUBLISH', KEYS[2], ARGV[4])
end
return new
