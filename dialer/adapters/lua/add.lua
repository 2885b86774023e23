#!lua
-- New contacts of a list, all or none; those known already are left as they are, and a chunk is taken once. In the order
-- of the list where all else is equal: the first million of a list stand up to one second before their time, each a
-- microsecond behind the last.
-- KEYS contacts later chunks | ARGV due chunk keep_ms, then (contact entry)...
if ARGV[2] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[2]) == 1 then
  return 0
end
local new, known, due = 0, redis.call('HLEN', KEYS[1]), tonumber(ARGV[1]) - 1
for i = 4, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    local at = due + math.min(known + new, 999999) / 1000000
    redis.call('ZADD', KEYS[2], string.format('%.17g', at), ARGV[i])
    new = new + 1
  end
end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[3], ARGV[2], new)
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
return new
