#!lua flags=allow-oom
-- The past of a person or a number, but for the word that they are not to be called, and the lock of a call under way.
-- KEYS state attempts talks [history promises payments]
redis.call('DEL', unpack(KEYS, 2))
redis.call('HDEL', KEYS[1], 'silent', 'dead', 'abandoned', 'machine', 'hardship')
local lock = redis.call('HGET', KEYS[1], 'lock')
if lock then
  redis.call('HSET', KEYS[1], 'forgotten', string.match(lock, '^%S+'))  -- nothing of this call is remembered either
end
return redis.call('EXISTS', KEYS[1])
