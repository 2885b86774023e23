#!lua
-- Contacts that may not be called: aside until their time, or at rest for good; told, also to the log, once per contact,
-- rule and until. Of what was told, what is over by now is forgotten: the same 'until' cannot come again.
-- KEYS fence ready later rest contacts refused refusals counters log log-head behind
-- ARGV token at, then (contact entry rule until body sha256-of-body fields field...)...; an empty entry: as it stands
-- with chain
-- with keep
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local at = tonumber(ARGV[2])
local tell, close = chain(KEYS[9], KEYS[10])
local counts = {}
local function count(contact, rule, till)
  local kept, times = {}, 0
  for word, when, told in string.gmatch(redis.call('HGET', KEYS[6], contact) or '', '(%S+) (%S+) (%d+)\n') do
    if word == rule and when == till then
      times = tonumber(told)
    elseif word ~= rule and (tonumber(when) or math.huge) > at then
      kept[#kept + 1] = word .. ' ' .. when .. ' ' .. told .. '\n'
    end
  end
  kept[#kept + 1] = rule .. ' ' .. till .. ' ' .. (times + 1) .. '\n'
  redis.call('HSET', KEYS[6], contact, table.concat(kept))
  counts[rule] = (counts[rule] or 0) + 1
  return times
end
local i = 3
while i <= #ARGV do
  local contact, rule, till = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local first, last = i + 7, i + 6 + tonumber(ARGV[i + 6])
  if redis.call('HEXISTS', KEYS[5], contact) == 1 then  -- otherwise erased meanwhile
    if redis.call('ZREM', KEYS[2], contact) == 1 or redis.call('ZREM', KEYS[3], contact) == 1 then
      if ARGV[i + 1] ~= '' then
        keep(KEYS[5], KEYS[11], contact, ARGV[i + 1])
      end
      redis.call('ZADD', KEYS[till == 'inf' and 4 or 3], till == 'inf' and ARGV[2] or till, contact)
    end
    if count(contact, rule, till) == 0 then
      redis.call('XADD', KEYS[7], '*', unpack(ARGV, first, last))
      tell(ARGV[i + 4], ARGV[i + 5])
    end
  end
  i = last + 1
end
for rule, times in pairs(counts) do
  redis.call('HINCRBY', KEYS[8], 'refused:' .. rule, times)
end
close()
return redis.call('EXISTS', KEYS[11])
