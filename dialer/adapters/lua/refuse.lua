#!lua
-- Contacts that may not be called: aside until their time, or at rest for good; told once per contact, rule and until.
-- KEYS fence ready later rest contacts refused refusals counters
-- ARGV token at, then (contact entry rule until fields field...)...
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local told, i = 0, 3
while i <= #ARGV do
  local contact, rule, till = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local first, last = i + 5, i + 4 + tonumber(ARGV[i + 4])
  local listed = redis.call('ZREM', KEYS[2], contact) + redis.call('ZREM', KEYS[3], contact)
  if listed > 0 then
    redis.call('HSET', KEYS[5], contact, ARGV[i + 1])
    if till == 'inf' then
      redis.call('ZADD', KEYS[4], ARGV[2], contact)
    else
      redis.call('ZADD', KEYS[3], till, contact)
    end
  end
  local field = contact .. ' ' .. rule
  local before, times = string.match(redis.call('HGET', KEYS[6], field) or '', '^(%S+) (%d+)$')
  if before == till then
    redis.call('HSET', KEYS[6], field, till .. ' ' .. (tonumber(times) + 1))
  else
    redis.call('HSET', KEYS[6], field, till .. ' 1')
    redis.call('XADD', KEYS[7], '*', unpack(ARGV, first, last))
    told = told + 1
  end
  redis.call('HINCRBY', KEYS[8], 'refused:' .. rule, 1)
  i = last + 1
end
return told
