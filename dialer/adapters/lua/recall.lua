#!lua
-- Contacts that rest until a time are due now, where it is still that time for which they rest.
-- KEYS fence later | ARGV token at, then (contact until) each; returns how many
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local count = 0
for i = 3, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    redis.call('ZADD', KEYS[2], ARGV[2], ARGV[i])
    count = count + 1
  end
end
return count
