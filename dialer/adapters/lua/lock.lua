#!lua
-- Steps 1 and 2 of a claim: take the lock of one person or number for an attempt, and tell the past.
-- KEYS state attempts talks | ARGV attempt campaign at since keep_ms
local seen = redis.call(
  'HMGET', KEYS[1], 'lock', 'changed', 'stop', 'silent', 'dead', 'stops', 'abandoned', 'machine', 'hardship')
local mine = seen[1] and string.match(seen[1], '^%S+') == ARGV[1]
if seen[1] and not mine then
  return {0, seen[1]}
end
redis.call('HSET', KEYS[1], 'lock', ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
if seen[2] then
  redis.call('HDEL', KEYS[1], 'changed')  -- what is told now has it in
end
if mine then
  redis.call('ZREM', KEYS[2], ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[4])
local attempts = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
local talks = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if seen[3] or (seen[4] and tonumber(seen[4]) > tonumber(ARGV[3])) or seen[5] or seen[6] or seen[9] then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return {1, attempts, talks, seen[3] or '', seen[4] or '', seen[5] or '', seen[6] or '', seen[7] or '', seen[8] or '',
  seen[9] or ''}
