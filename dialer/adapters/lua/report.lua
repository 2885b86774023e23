#!lua
-- A fact the IVR learnt, once per number in the order, and a word to the engine; nothing of a call that is over and
-- whose person was erased.
-- KEYS facts told erased open | ARGV seq json keep_ms attempt
if redis.call('ZSCORE', KEYS[3], ARGV[4]) and redis.call('HEXISTS', KEYS[4], ARGV[4]) == 0 then
  return 0
end
local new = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if new == 1 then
  redis.call('PUBLISH', KEYS[2], ARGV[4])
end
return new
