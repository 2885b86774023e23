#!lua
-- Contacts that may not be called: aside until their time, or at rest for good; told, also to the log, once per contact,
-- rule and until. Of what was told, what is over by now is forgotten: the same 'until' cannot come again.
-- Most refusals of a batch are of one kind, so what is the same is sent once; and Redis is asked about all at once.
-- KEYS fence ready later rest contacts refused refusals counters log log-head behind
-- ARGV token at kinds fields slot*4, then (rule until field...) per kind, then (contact entry kind body sha256-of-body
-- person number number-kind) per refusal; an empty entry: as it stands; '-': he is only told of, and stays where he is.
-- In the slots: contact, person, number, its kind
-- with chain
-- with keep
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local at, width = tonumber(ARGV[2]), tonumber(ARGV[4])
local slots = {tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])}
local tell, close = chain(KEYS[9], KEYS[10])
local kinds, first = {}, 9
for kind = 1, tonumber(ARGV[3]) do
  kinds[kind] = {rule = ARGV[first], till = ARGV[first + 1], fields = {unpack(ARGV, first + 2, first + 1 + width)}}
  first = first + 2 + width
end
local ids = {}
for i = first, #ARGV, 8 do
  ids[#ids + 1] = ARGV[i]
end
local ready = redis.call('ZMSCORE', KEYS[2], unpack(ids))
local known = redis.call('HMGET', KEYS[6], unpack(ids))
local stands, lines = {}, {}
for i, contact in ipairs(ids) do
  stands[contact] = ready[i] and KEYS[2] or redis.call('ZSCORE', KEYS[3], contact) and KEYS[3] or ''
  lines[contact] = known[i] or ''
end
local counts = {}
local function count(contact, rule, till)
  local kept, times = {}, 0
  for word, when, told in string.gmatch(lines[contact], '(%S+) (%S+) (%d+)\n') do
    if word == rule and when == till then
      times = tonumber(told)
    elseif word ~= rule and (tonumber(when) or math.huge) > at then
      kept[#kept + 1] = word .. ' ' .. when .. ' ' .. told .. '\n'
    end
  end
  kept[#kept + 1] = rule .. ' ' .. till .. ' ' .. (times + 1) .. '\n'
  lines[contact] = table.concat(kept)
  counts[rule] = (counts[rule] or 0) + 1
  return times
end
local moved, aside, done, told = {[KEYS[2]] = {}, [KEYS[3]] = {}}, {}, {}, {}
for i = first, #ARGV, 8 do
  local contact, entry, kind = ARGV[i], ARGV[i + 1], kinds[tonumber(ARGV[i + 2])]
  local where = entry == '-' and '' or stands[contact]
  -- who stands nowhere may have been erased meanwhile
  if where ~= '' or redis.call('HEXISTS', KEYS[5], contact) == 1 then
    if where ~= '' then
      if entry ~= '' then
        keep(KEYS[5], KEYS[11], contact, entry)
      end
      moved[where][#moved[where] + 1] = contact
      aside[contact] = kind.till ~= 'inf' and kind.till or nil
      done[contact] = kind.till == 'inf' or nil
      stands[contact] = kind.till == 'inf' and '' or KEYS[3]
    end
    if count(contact, kind.rule, kind.till) == 0 then
      local fields = kind.fields
      fields[slots[1]], fields[slots[2]] = contact, ARGV[i + 5]
      fields[slots[3]], fields[slots[4]] = ARGV[i + 6], ARGV[i + 7]
      redis.call('XADD', KEYS[7], '*', unpack(fields))
      tell(ARGV[i + 3], ARGV[i + 4])
    end
    told[contact] = true
  end
end
for key, contacts in pairs(moved) do
  if #contacts > 0 then
    redis.call('ZREM', key, unpack(contacts))
  end
end
local function write(command, key, words)
  if #words > 0 then
    redis.call(command, key, unpack(words))
  end
end
local words = {}
for contact, till in pairs(aside) do
  words[#words + 1], words[#words + 2] = till, contact
end
write('ZADD', KEYS[3], words)
words = {}
for contact in pairs(done) do
  words[#words + 1], words[#words + 2] = ARGV[2], contact
end
write('ZADD', KEYS[4], words)
words = {}
for contact in pairs(told) do
  words[#words + 1], words[#words + 2] = contact, lines[contact]
end
write('HSET', KEYS[6], words)
for rule, times in pairs(counts) do
  redis.call('HINCRBY', KEYS[8], 'refused:' .. rule, times)
end
close()
return redis.call('EXISTS', KEYS[11])
