#!lua flags=allow-oom
-- What a written outcome means for one person or number. Each line may be repeated without harm.
-- KEYS state attempts talks | ARGV attempt talk_at stop silent_until dead count keep_ms tried_at
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
if ARGV[6] == '0' then
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('ZADD', KEYS[2], 'XX', 'GT', ARGV[8], ARGV[1])  -- a cap runs from the call, not from its claim
end
local seen = redis.call('HMGET', KEYS[1], 'lock', 'silent')
local keep = false
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'stop', '1')
  keep = true
end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[1], 'dead', '1')
  keep = true
end
if tonumber(ARGV[4]) > tonumber(seen[2] or '0') then
  redis.call('HSET', KEYS[1], 'silent', ARGV[4])
  keep = true
end
if keep then
  redis.call('PERSIST', KEYS[1])
end
if seen[1] and string.match(seen[1], '^%S+') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'lock', 'thief')
end
return 1
