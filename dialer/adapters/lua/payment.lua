#!lua
-- A payment that we are told of: into the stream, once by its id. Ids and entries are kept for as long as each other.
-- KEYS told ids | ARGV id print oldest field...
-- Returns 1: new, 0: told before, -1: this id was told of another payment.
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then
  return known == ARGV[2] and 0 or -1
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], unpack(ARGV, 4))
for _, old in ipairs(redis.call('XRANGE', KEYS[1], '-', '(' .. ARGV[3], 'COUNT', 10)) do
  redis.call('XDEL', KEYS[1], old[1])
  redis.call('HDEL', KEYS[2], old[2][2])
end
return 1
