#!lua flags=allow-oom
-- Contacts as if they had never been listed. The log of decisions stays as it is: nobody can tell any more who was meant.
-- KEYS contacts ready later rest call-backs refused behind withdrawn | ARGV contact...
local gone = redis.call('HDEL', KEYS[1], unpack(ARGV))
for i = 2, 5 do
  redis.call('ZREM', KEYS[i], unpack(ARGV))
end
redis.call('HDEL', KEYS[6], unpack(ARGV))
redis.call('HDEL', KEYS[7], unpack(ARGV))
redis.call('SREM', KEYS[8], unpack(ARGV))
return gone
