-- A session that has neither run idle nor out, kept for another while, and its requests counted; false: there is none.
-- KEYS: session, rate  ARGV: now_ms, idle_ms, each_ms, burst, cost
local raw = redis.call('HGET', KEYS[1], 'session')
if not raw then
    return false
end
local now, each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local left = tonumber(redis.call('HGET', KEYS[1], 'until') or '0') - now
if left <= 0 then
    redis.call('DEL', KEYS[1], KEYS[2])
    return false
end
redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(left, tonumber(ARGV[2]))))
if cost <= 0 then
    return { raw, 0 }
end
local after = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now) + cost * each
local early = after - now - burst * each
if early > 0 then
    return { raw, math.ceil(early) }
end
redis.call('SET', KEYS[2], string.format('%.0f', after), 'PX', math.max(1, math.ceil(after - now)))
return { raw, 0 }
