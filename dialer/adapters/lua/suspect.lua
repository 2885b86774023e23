#!lua
-- First half of taking a stale lock: mark it, so that a holder who claims from now on sees the mark and steps back.
-- KEYS state | ARGV lock-as-read thief at void_s
local seen = redis.call('HMGET', KEYS[1], 'lock', 'thief')
if seen[1] ~= ARGV[1] then
  return 0
end
if seen[2] then
  local other, at = string.match(seen[2], '^(%S+) (%S+)$')
  if other ~= ARGV[2] and tonumber(ARGV[3]) - tonumber(at) < tonumber(ARGV[4]) then
    return 0
  end
end
redis.call('HSET', KEYS[1], 'thief', ARGV[2] .. ' ' .. ARGV[3])
return 1
