#!lua flags=allow-oom
-- Entries of a person's history from before a time go; the oldest stand first, their time in the first four bytes.
-- KEYS history | ARGV before
local gone = 0
while true do
  local first = redis.call('LINDEX', KEYS[1], 0)
  if not first or #first < 4 then
    return gone
  end
  local a, b, c, d = string.byte(first, 1, 4)
  if ((a * 256 + b) * 256 + c) * 256 + d >= tonumber(ARGV[1]) then
    return gone
  end
  redis.call('LPOP', KEYS[1])
  gone = gone + 1
end
