-- Put a hash's field from what it was to what it shall be; 0: it was something else. '' stands for: not there.
-- KEYS: hash  ARGV: field, before, after
local found = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if found ~= ARGV[2] then
    return 0
end
if ARGV[3] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
