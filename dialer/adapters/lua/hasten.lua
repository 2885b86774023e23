#!lua flags=allow-oom
-- A contact whose rank has changed is due at once, where he is waiting at all; whoever is being called, at rest or
-- withdrawn keeps his place.
-- KEYS contacts ready later withdrawn | ARGV at contact seen entry; returns whether he still stood as he was read
local at, contact, entry = tonumber(ARGV[1]), ARGV[2], ARGV[4]
if redis.call('HGET', KEYS[1], contact) ~= ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[1], contact, entry)
if redis.call('SISMEMBER', KEYS[4], contact) == 1 then
  return 1
end
local later = redis.call('ZSCORE', KEYS[3], contact)
if redis.call('ZREM', KEYS[2], contact) == 1 or (later and tonumber(later) > at) then
  redis.call('ZADD', KEYS[3], ARGV[1], contact)  -- the next look puts him in order
end
return 1
