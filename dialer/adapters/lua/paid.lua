#!lua flags=allow-oom
-- A payment of a person: counts for his promises, and stands in his history; once.
-- KEYS payments history | ARGV id payment payments_most most keep_s line; returns whether it is new
-- with remember
local new = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(ARGV[5]) * 1000))
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) then
  local oldest, since
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local told = tonumber(string.match(all[i + 1], '"told_at":([%d.]+)') or '0')
    if not since or told < since then
      oldest, since = all[i], told
    end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
remember(KEYS[2], ARGV[4], ARGV[5], ARGV[6])
return new
