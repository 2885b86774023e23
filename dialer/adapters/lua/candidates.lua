#!lua
-- The next contacts in order of (priority, due): first, those whose time has come move from later to ready, some at a time.
-- KEYS later ready rank contacts | ARGV at limit batch
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3], 'WITHSCORES')
if #due > 0 then
  local ids = {}
  for i = 1, #due, 2 do
    ids[#ids + 1] = due[i]
  end
  local ranks = redis.call('HMGET', KEYS[3], unpack(ids))
  local scored = {}
  for i, id in ipairs(ids) do
    local score = tonumber(ranks[i] or '0') * 1e10 + tonumber(due[2 * i])
    scored[2 * i - 1] = string.format('%.17g', score)
    scored[2 * i] = id
  end
  redis.call('ZADD', KEYS[2], unpack(scored))
  redis.call('ZREM', KEYS[1], unpack(ids))
end
local next = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[2]) - 1)
if #next == 0 then
  return {{}, {}}
end
return {next, redis.call('HMGET', KEYS[4], unpack(next))}
