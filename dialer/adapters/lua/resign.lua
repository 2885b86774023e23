#!lua flags=allow-oom
-- Give the lease back, if it is still ours.
-- KEYS lease | ARGV engine token
if redis.call('GET', KEYS[1]) == ARGV[2] .. ' ' .. ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
