#!lua
-- Lengthen a lease. One that ran out is taken up again as long as nobody else has led since.
-- KEYS lease fence | ARGV engine token ttl_ms
local mine = ARGV[2] .. ' ' .. ARGV[1]
local lease = redis.call('GET', KEYS[1])
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if (lease and lease ~= mine) or fence > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], mine, 'PX', ARGV[3])
if fence < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[2], ARGV[2])  -- a replica that took over had not heard of our token
end
return 1
