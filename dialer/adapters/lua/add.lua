#!lua
-- New contacts of a list; those known already are left as they are. In the order of the list where all else is equal:
-- the first million of a list stand up to one second before their time, each a microsecond behind the last.
-- KEYS contacts later rank | ARGV due, then (contact json priority)...
local new, known = 0, redis.call('HLEN', KEYS[1])
for i = 2, #ARGV, 3 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    local due = tonumber(ARGV[1]) - 1 + math.min(known + new, 999999) / 1000000
    redis.call('ZADD', KEYS[2], string.format('%.17g', due), ARGV[i])
    if ARGV[i + 2] ~= '0' then
      redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2])
    end
    new = new + 1
  end
end
return new
