#!lua
-- Transitions of open attempts, then outcomes: record, effects to settle, contact, counters; each only while it is open.
-- KEYS fence open unsettled outcomes contacts later rest counters
-- ARGV token transitions, then (attempt json)..., then
--      (attempt outcome live effects contact entry retry_at at fields field...)...
-- One answer per outcome: 1 written now, 2 written before but its effects are not settled, 0 all done before.
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local i = 3
for _ = 1, tonumber(ARGV[2]) do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
  i = i + 2
end

local counts = {}
local function keep_contact(contact, entry, retry_at, at)
  if contact == '' then
    return
  end
  if entry ~= '' then
    redis.call('HSET', KEYS[5], contact, entry)
  end
  if retry_at == '' then
    redis.call('ZADD', KEYS[7], at, contact)
  else
    redis.call('ZADD', KEYS[6], retry_at, contact)
  end
end

local answers = {}
while i <= #ARGV do
  local attempt, fields = ARGV[i], tonumber(ARGV[i + 8])
  local first, last = i + 9, i + 8 + fields
  if redis.call('HEXISTS', KEYS[2], attempt) == 1 then
    redis.call('XADD', KEYS[4], '*', unpack(ARGV, first, last))
    redis.call('HDEL', KEYS[2], attempt)
    redis.call('HSET', KEYS[3], attempt, ARGV[i + 3])
    keep_contact(ARGV[i + 4], ARGV[i + 5], ARGV[i + 6], ARGV[i + 7])
    local word = 'outcome:' .. ARGV[i + 1]
    counts[word] = (counts[word] or 0) + 1
    counts.live = (counts.live or 0) + tonumber(ARGV[i + 2])
    answers[#answers + 1] = 1
  elseif redis.call('HEXISTS', KEYS[3], attempt) == 1 then
    answers[#answers + 1] = 2
  else
    answers[#answers + 1] = 0
  end
  i = last + 1
end
for word, count in pairs(counts) do
  if count > 0 then
    redis.call('HINCRBY', KEYS[8], word, count)
  end
end
return answers
