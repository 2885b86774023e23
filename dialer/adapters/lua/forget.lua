#!lua flags=allow-oom
-- The past of a person or a number, but for the word that they are not to be called, and the lock of a call under way.
-- KEYS state attempts talks [history promises payments]
redis.call('DEL', unpack(KEYS, 2))
redis.call('HDEL', KEYS[1], 'silent', 'dead', 'abandoned', 'machine', 'hardship')
if redis.call('HEXISTS', KEYS[1], 'lock') == 1 then
  redis.call('HSET', KEYS[1], 'forgotten', '1')  -- nothing of this call is remembered either
end
return redis.call('EXISTS', KEYS[1])
