#!lua flags=allow-oom
-- Do not call a person or a number: at all (empty scope), for one lender, or in one campaign. Who is about to call sees
-- that something has changed.
-- KEYS state | ARGV scope; returns whether that is new
local new = 1
if ARGV[1] == '' then
  new = redis.call('HSET', KEYS[1], 'stop', '1')
else
  local stops = redis.call('HGET', KEYS[1], 'stops') or ''
  if string.find('\n' .. stops .. '\n', '\n' .. ARGV[1] .. '\n', 1, true) then
    return 0
  end
  redis.call('HSET', KEYS[1], 'stops', stops == '' and ARGV[1] or stops .. '\n' .. ARGV[1])
end
if redis.call('HEXISTS', KEYS[1], 'lock') == 1 then
  redis.call('HSET', KEYS[1], 'changed', '1')
end
redis.call('PERSIST', KEYS[1])
return new
