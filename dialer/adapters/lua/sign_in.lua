#!lua
-- An agent works for one campaign at a time.
-- KEYS agent-campaign | ARGV campaign mode(in, out, over) from
-- 'over' takes an agent from the campaign named in `from`, which has let him go.
local now = redis.call('GET', KEYS[1])
if ARGV[2] == 'out' then
  if now == ARGV[1] then
    redis.call('DEL', KEYS[1])
  end
  return ''
end
if not now or now == ARGV[1] or (ARGV[2] == 'over' and now == ARGV[3]) then
  redis.call('SET', KEYS[1], ARGV[1])
  return ''
end
return now
