#!lua flags=allow-oom
-- The past of a person or a number, but for the word that they are not to be called, and the lock of a call under way.
-- KEYS state attempts talks
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[1], 'silent', 'dead', 'abandoned', 'machine', 'hardship')
return redis.call('EXISTS', KEYS[1])
