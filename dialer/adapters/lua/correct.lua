#!lua
-- A correction entry, once for the same words.
-- KEYS fence corrections outcomes | ARGV token keep_ms field...
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
if redis.call('SADD', KEYS[2], redis.sha1hex(table.concat(ARGV, '\n', 3))) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 3))
return 1
