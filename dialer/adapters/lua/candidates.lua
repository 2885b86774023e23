#!lua
-- The next contacts in order of (rank, due): first, those whose time has come move from later to ready, some at a time,
-- and whoever is due since a moment ago with them: a call-back must not wait behind a list of a million.
-- KEYS later ready contacts | ARGV at limit batch
local function rank(entry)
  local version = entry and string.byte(entry)
  if version == 123 then  -- {, an entry of version 0
    return tonumber(string.match(entry, '"priority":(-?%d+)') or '0') * 1000
  end
  return version == 1 and #entry >= 6 and struct.unpack('>i4', entry, 3) or 0
end
local tenth = math.ceil(ARGV[3] / 10)
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3] - tenth, 'WITHSCORES')
for _, one in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, tenth, 'WITHSCORES')) do
  due[#due + 1] = one
end
if #due > 0 then
  local ids = {}
  for i = 1, #due, 2 do
    ids[#ids + 1] = due[i]
  end
  local entries = redis.call('HMGET', KEYS[3], unpack(ids))
  local scored = {}
  for i, id in ipairs(ids) do
    scored[2 * i - 1] = string.format('%.17g', rank(entries[i]) * 1e7 + tonumber(due[2 * i]))
    scored[2 * i] = id
  end
  redis.call('ZADD', KEYS[2], unpack(scored))
  redis.call('ZREM', KEYS[1], unpack(ids))
end
local next = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[2]) - 1)
if #next == 0 then
  return {{}, {}}
end
return {next, redis.call('HMGET', KEYS[3], unpack(next))}
