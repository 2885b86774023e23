#!lua flags=allow-oom
-- Give one lock back, if the attempt holds it; the attempt does not count.
-- KEYS state attempts | ARGV attempt
local holder = redis.call('HGET', KEYS[1], 'lock')
if not holder or string.match(holder, '^%S+') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'lock', 'thief', 'changed', 'forgotten')
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
