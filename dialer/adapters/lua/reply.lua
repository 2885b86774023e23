#!lua flags=allow-oom
-- A command was applied or refused: off the stream, and its sender told; once.
-- KEYS fence commands ids reply | ARGV token id json keep_ms
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local entry = redis.call('HGET', KEYS[3], ARGV[2])
if not entry then
  return 0
end
redis.call('XDEL', KEYS[2], entry)
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('RPUSH', KEYS[4], ARGV[3])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
return 1
