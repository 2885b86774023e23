#!lua
-- A new version of a sheet, unless it has been changed since it was looked at; the oldest versions go.
-- KEYS sheet versions | ARGV revision-looked-at entry kept; returns the new revision, or 0
local now = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if now ~= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'revision', now + 1, 'entry', ARGV[2])
redis.call('HSET', KEYS[2], now + 1, ARGV[2])
redis.call('HDEL', KEYS[2], now + 1 - tonumber(ARGV[3]))
return now + 1
