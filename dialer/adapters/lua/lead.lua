#!lua
-- The lease of a campaign and its fencing token; a newer token makes every older one powerless.
-- KEYS lease fence | ARGV engine ttl_ms
local token, engine = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.+)$')
if engine and engine ~= ARGV[1] then
  return false
end
if not token then
  token = redis.call('INCR', KEYS[2])
end
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
return tonumber(token)
