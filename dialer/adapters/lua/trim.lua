#!lua flags=allow-oom
-- Drop what is older than an id, but nothing that a consumer group has not read and acknowledged. Of a chained log the
-- last entry dropped stays as the anchor on which the rest hangs.
-- KEYS stream [anchor] | ARGV oldest-to-keep
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-?(%d*)$')
  return tonumber(ms), tonumber(seq ~= '' and seq or '0')
end
local function earlier(one, other)
  local ms, seq = parts(one)
  local other_ms, other_seq = parts(other)
  return ms < other_ms or (ms == other_ms and seq < other_seq)
end
local keep = ARGV[1]
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local name, read
  for i = 1, #group, 2 do
    if group[i] == 'name' then name = group[i + 1] end
    if group[i] == 'last-delivered-id' then read = group[i + 1] end
  end
  local pending = redis.call('XPENDING', KEYS[1], name)
  local oldest = pending[1] > 0 and pending[2] or read
  if earlier(oldest, keep) then
    keep = oldest
  end
end
if not earlier('0-0', keep) then
  return 0
end
if #KEYS > 1 then
  local dropped = redis.call('XREVRANGE', KEYS[1], '(' .. keep, '-', 'COUNT', 1)[1]
  if not dropped then
    return 0
  end
  local entry = {}
  for i = 1, #dropped[2], 2 do
    entry[dropped[2][i]] = dropped[2][i + 1]
  end
  redis.call('SET', KEYS[2], (entry.seq or '') .. ' ' .. (entry.hash or ''))
end
return redis.call('XTRIM', KEYS[1], 'MINID', keep)
