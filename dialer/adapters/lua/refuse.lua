#!lua
-- Contacts that may not be called: aside until their time, or at rest for good; told once per contact, rule and until.
-- KEYS fence ready later rest contacts rank refused refusals counters
-- ARGV token at, then (contact json priority rule until fields field...)...
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local told, i = 0, 3
while i <= #ARGV do
  local contact, rule, till = ARGV[i], ARGV[i + 3], ARGV[i + 4]
  local first, last = i + 6, i + 5 + tonumber(ARGV[i + 5])
  local listed = redis.call('ZREM', KEYS[2], contact) + redis.call('ZREM', KEYS[3], contact)
  if listed > 0 then
    redis.call('HSET', KEYS[5], contact, ARGV[i + 1])
    if ARGV[i + 2] == '0' then
      redis.call('HDEL', KEYS[6], contact)
    else
      redis.call('HSET', KEYS[6], contact, ARGV[i + 2])
    end
    if till == 'inf' then
      redis.call('ZADD', KEYS[4], ARGV[2], contact)
    else
      redis.call('ZADD', KEYS[3], till, contact)
    end
  end
  local field = contact .. ' ' .. rule
  local before, times = string.match(redis.call('HGET', KEYS[7], field) or '', '^(%S+) (%d+)$')
  if before == till then
    redis.call('HSET', KEYS[7], field, till .. ' ' .. (tonumber(times) + 1))
  else
    redis.call('HSET', KEYS[7], field, till .. ' 1')
    redis.call('XADD', KEYS[8], '*', unpack(ARGV, first, last))
    told = told + 1
  end
  redis.call('HINCRBY', KEYS[9], 'refused:' .. rule, 1)
  i = last + 1
end
return told
