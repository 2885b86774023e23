#!lua flags=no-writes
-- Which of these contacts are on the list already; nothing at all (nil) when this chunk was brought before.
-- KEYS contacts chunks | ARGV chunk contact...
if ARGV[1] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  return false
end
local known = {}
for i = 2, #ARGV do
  known[i - 1] = redis.call('HEXISTS', KEYS[1], ARGV[i])
end
return known
