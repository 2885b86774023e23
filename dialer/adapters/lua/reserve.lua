#!lua
-- One agent for one attempt: both change, or neither. What Redis knows of him may be older than what the leader knows,
-- so his word (idle) is not asked, but whether he has another call.
-- KEYS fence agents open | ARGV token agent agent-json attempt attempt-json
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local agent = redis.call('HGET', KEYS[2], ARGV[2])
if not agent or redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 then
  return 0
end
local seen = cjson.decode(agent)
local busy = seen.state == 'reserved' or seen.state == 'talking'
if busy and seen.attempt ~= ARGV[4] and redis.call('HEXISTS', KEYS[3], seen.attempt) == 1 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
return 1
