#!lua flags=no-writes
-- Entries of a stream in which one of some fields has one of some values, and every correction; so many are looked at.
-- KEYS stream | ARGV after count name value...
-- The last entry looked at ('' at the end), then the entries.
local wanted = {}
for i = 3, #ARGV, 2 do
  wanted[ARGV[i]] = wanted[ARGV[i]] or {}
  wanted[ARGV[i]][ARGV[i + 1]] = true
end
local page = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local found = {#page == tonumber(ARGV[2]) and page[#page][1] or ''}
for _, entry in ipairs(page) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    local values = wanted[fields[i]]
    if (values and values[fields[i + 1]]) or (fields[i] == 'type' and fields[i + 1] == 'correction') then
      found[#found + 1] = entry
      break
    end
  end
end
return found
