#!lua flags=allow-oom
-- Late changes that the leader has dealt with: off, unless something newer stands there by now.
-- KEYS fence late | ARGV token (field value)...
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local gone = 0
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    gone = gone + redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
return gone
