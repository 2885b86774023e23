#!lua flags=allow-oom
-- Second half: the holder was not found in its campaign (ARGV[3] = 1: break the lock) or was (0: take the mark back).
-- KEYS state attempts | ARGV lock-as-read thief broken
local seen = redis.call('HMGET', KEYS[1], 'lock', 'thief')
if seen[1] ~= ARGV[1] or not seen[2] or string.match(seen[2], '^%S+') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], 'thief')
if ARGV[3] == '1' then
  redis.call('HDEL', KEYS[1], 'lock', 'forgotten')
  redis.call('ZREM', KEYS[2], string.match(seen[1], '^%S+'))
end
return 1
