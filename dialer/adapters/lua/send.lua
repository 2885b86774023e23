#!lua
-- Put a command into the stream, once per id, and wake the engine. One that has been answered is not put again.
-- KEYS commands ids told, reply where one may be asked for again | ARGV id json
if KEYS[4] and redis.call('EXISTS', KEYS[4]) == 1 then
  return 0
end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], redis.call('XADD', KEYS[1], '*', 'command', ARGV[2]))
redis.call('PUBLISH', KEYS[3], '')
return 1
