#!lua
-- Transitions of open attempts, then outcomes: record, effects to settle, contact, counters; each only while it is open.
-- KEYS fence open unsettled outcomes contacts later rest counters behind withdrawn promised
--      call-backs ready forgotten
-- ARGV token transitions, then (attempt json)..., then
--      (attempt outcome live effects contact entry retry_at at ends promise call-back fields field...)...
-- A promise is the word by which `promised` knows it, and when it ends; empty: none was made.
-- Of who was erased during the call the record names nobody, and nothing is put on the list.
-- One answer per outcome: 1 written now, 3 so and he was erased, 2 written before but its effects are not settled, 0 all
-- done before; and whether contacts wait to be merged.
-- with keep
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
local function back(contact, entry, retry_at, at)
  local known
  if entry ~= '' then
    known = keep(KEYS[5], KEYS[9], contact, entry)
  else
    known = redis.call('HEXISTS', KEYS[5], contact) == 1
  end
  if not known then
    return  -- of no list, or erased meanwhile
  end
  redis.call('ZREM', KEYS[13], contact)  -- whose call came in was not taken off the list
  if retry_at == '' or redis.call('SISMEMBER', KEYS[10], contact) == 1 then
    redis.call('ZREM', KEYS[6], contact)
    redis.call('ZADD', KEYS[7], at, contact)
  else
    redis.call('ZREM', KEYS[7], contact)
    redis.call('ZADD', KEYS[6], retry_at, contact)
  end
end

local names_him = {debtor = true, person = true, number = true, new_number = true, recording = true}
local answers = {}
while i <= #ARGV do
  local attempt, fields = ARGV[i], tonumber(ARGV[i + 11])
  local first, last = i + 12, i + 11 + fields
  if redis.call('HEXISTS', KEYS[2], attempt) == 1 then
    local erased = redis.call('SREM', KEYS[14], attempt) == 1
    if erased then
      for name = first, last, 2 do
        if names_him[ARGV[name]] then
          ARGV[name + 1] = ''
        end
      end
      ARGV[i + 9], ARGV[i + 10] = '', ''
    end
    redis.call('XADD', KEYS[4], '*', unpack(ARGV, first, last))
    redis.call('HDEL', KEYS[2], attempt)
    redis.call('HSET', KEYS[3], attempt, ARGV[i + 3])
    back(ARGV[i + 4], ARGV[i + 5], ARGV[i + 6], ARGV[i + 7])
    if ARGV[i + 10] ~= '' then
      redis.call('ZADD', KEYS[12], ARGV[i + 10], ARGV[i + 4])
    else
      redis.call('ZREM', KEYS[12], ARGV[i + 4])
    end
    if ARGV[i + 9] ~= '' then
      redis.call('ZADD', KEYS[11], ARGV[i + 8], ARGV[i + 9])
      counts['promise:made'] = (counts['promise:made'] or 0) + 1
    end
    local word = 'outcome:' .. ARGV[i + 1]
    counts[word] = (counts[word] or 0) + 1
    counts.live = (counts.live or 0) + tonumber(ARGV[i + 2])
    answers[#answers + 1] = erased and 3 or 1
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
return {answers, redis.call('EXISTS', KEYS[9])}
