#!lua flags=allow-oom
-- Promises that have ended: off the list of those that are pending, counted by how; or counted otherwise than before.
-- KEYS promised ended counters | ARGV at keep_s (word state agent before)...; returns how many had been pending
local new, at = 0, ARGV[1]
local function count(state, agent, by)
  redis.call('HINCRBY', KEYS[3], 'promise:' .. state, by)
  redis.call('HINCRBY', KEYS[3], 'promise:' .. state .. ':' .. agent, by)
end
for i = 3, #ARGV, 4 do
  local word, state, agent, before = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if redis.call('ZREM', KEYS[1], word) == 1 then
    redis.call('ZADD', KEYS[2], at, word)
    count(state, agent, 1)
    new = new + 1
  elseif before ~= '' and redis.call('ZSCORE', KEYS[2], word) then
    count(before, agent, -1)
    count(state, agent, 1)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', tonumber(at) - tonumber(ARGV[2])))
return new
