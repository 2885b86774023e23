#!lua flags=allow-oom
-- Contacts off the list at once; those being called do not come back to it.
-- KEYS contacts ready later rest withdrawn call-backs | ARGV at contact...
local taken = 0
for i = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('SADD', KEYS[5], ARGV[i])
    redis.call('ZREM', KEYS[6], ARGV[i])
    if redis.call('ZREM', KEYS[2], ARGV[i]) + redis.call('ZREM', KEYS[3], ARGV[i]) > 0 then
      redis.call('ZADD', KEYS[4], ARGV[1], ARGV[i])
      taken = taken + 1
    end
  end
end
return taken
