-- Count `cost` requests against so many at once and one each so many milliseconds; how many milliseconds too early.
-- KEYS: rate  ARGV: now_ms, each_ms, burst, cost (negative: give back)
local now, each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local after = free + cost * each
local early = after - now - burst * each
if cost > 0 and early > 0 then
    return math.ceil(early)
end
if after <= now then
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil(after - now))
end
return 0
