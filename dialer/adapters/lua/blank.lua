#!lua flags=allow-oom
-- Another value in place of the one that was read, with the same time to live; nothing where it has changed since.
-- KEYS value | ARGV as-read new
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
