#!lua flags=allow-oom
-- Do not call this person before a time; who is about to call sees that something has changed.
-- KEYS state | ARGV until; returns the lock of a call under way (attempt campaign at), or nothing
local lock, silent = unpack(redis.call('HMGET', KEYS[1], 'lock', 'silent'))
if tonumber(ARGV[1]) > tonumber(silent or '0') then
  redis.call('HSET', KEYS[1], 'silent', ARGV[1])
  redis.call('PERSIST', KEYS[1])
  if lock then
    redis.call('HSET', KEYS[1], 'changed', '1')
  end
end
return lock
