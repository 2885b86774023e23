#!lua
-- A change for whoever leads. Of a call whose person was erased: while it is open what its outcome needs, else nothing,
-- and what stood there goes.
-- KEYS late erased open | ARGV field change attempt bare
-- 1: it waits as it is, 0: he was erased.
if not redis.call('ZSCORE', KEYS[2], ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 1
end
if redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
