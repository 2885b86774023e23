#!lua
-- A list's newer data, where the entry is still the one that they were merged with. One whose rank has changed and who
-- is ready goes back to later, to be put in order again. One answer each: 1 replaced, 0 it has changed meanwhile.
-- KEYS contacts ready later behind | ARGV (contact seen entry behind-as-merged)...
local answers = {}
for i = 1, #ARGV, 4 do
  local contact, entry = ARGV[i], ARGV[i + 2]
  local stands, waits = redis.call('HGET', KEYS[1], contact), redis.call('HGET', KEYS[4], contact) or ''
  if stands == ARGV[i + 1] and waits == ARGV[i + 3] then
    redis.call('HSET', KEYS[1], contact, entry)
    redis.call('HDEL', KEYS[4], contact)
    local score = redis.call('ZSCORE', KEYS[2], contact)
    if score and string.byte(stands) == 1 and string.sub(stands, 3, 6) ~= string.sub(entry, 3, 6) then
      local due = tonumber(score) - struct.unpack('>i4', stands, 3) * 1e7
      redis.call('ZREM', KEYS[2], contact)
      redis.call('ZADD', KEYS[3], string.format('%.17g', due), contact)
    end
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 0
  end
end
return answers
