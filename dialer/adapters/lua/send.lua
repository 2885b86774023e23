#!lua
-- Put a command into the stream, once per id, and wake the engine.
-- KEYS commands ids told | ARGV id json
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], redis.call('XADD', KEYS[1], '*', 'command', ARGV[2]))
redis.call('PUBLISH', KEYS[3], '')
return 1
