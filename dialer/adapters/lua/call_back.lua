#!lua
-- Somebody who waits on the list is called back at a minute of his own, or (no minute) no more at that; nobody who is
-- being called, at rest or withdrawn.
-- KEYS contacts ready later withdrawn call-backs | ARGV due minute contact seen entry
-- Returns 1: done, 0: he has changed meanwhile, -1: he does not wait.
local contact = ARGV[3]
if redis.call('HGET', KEYS[1], contact) ~= ARGV[4] then
  return 0
end
local waits = redis.call('ZSCORE', KEYS[2], contact) or redis.call('ZSCORE', KEYS[3], contact)
if not waits or redis.call('SISMEMBER', KEYS[4], contact) == 1 then
  return -1
end
redis.call('HSET', KEYS[1], contact, ARGV[5])
redis.call('ZREM', KEYS[2], contact)
redis.call('ZADD', KEYS[3], ARGV[1], contact)
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[5], contact)
else
  redis.call('ZADD', KEYS[5], ARGV[2], contact)
end
return 1
