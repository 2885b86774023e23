#!lua flags=allow-oom
-- A person or a number may be called again: take one word not to call back, of no scope (all) or of one. Other words
-- stay. Who is about to call asks again, as after any change.
-- KEYS state | ARGV scope
local gone = 0
if ARGV[1] == '' then
  gone = redis.call('HDEL', KEYS[1], 'stop')
else
  local left = {}
  for scope in string.gmatch(redis.call('HGET', KEYS[1], 'stops') or '', '[^\n]+') do
    if scope == ARGV[1] then
      gone = 1
    else
      left[#left + 1] = scope
    end
  end
  if gone == 1 and #left == 0 then
    redis.call('HDEL', KEYS[1], 'stops')
  elseif gone == 1 then
    redis.call('HSET', KEYS[1], 'stops', table.concat(left, '\n'))
  end
end
if gone == 1 and redis.call('HEXISTS', KEYS[1], 'lock') == 1 then
  redis.call('HSET', KEYS[1], 'changed', '1')
end
return gone
