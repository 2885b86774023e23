#!lua
-- One agent for one attempt: both change, or neither.
-- KEYS fence agents open | ARGV token agent agent-json attempt attempt-json
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local agent = redis.call('HGET', KEYS[2], ARGV[2])
if not agent or redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 then
  return 0
end
local seen = cjson.decode(agent)
local again = seen.state == 'reserved' and seen.attempt == ARGV[4]
if seen.state ~= 'idle' and not again then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
return 1
