#!lua flags=allow-oom
-- A promise stands otherwise than it was read; and what a person's history says of it.
-- KEYS promises history | ARGV id seen new most keep_s line; returns whether it still stood as it was read
-- with remember
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[6] ~= '' then
  remember(KEYS[2], ARGV[4], ARGV[5], ARGV[6])
end
return 1
