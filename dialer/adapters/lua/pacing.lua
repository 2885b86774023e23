#!lua
-- One entry of the pacing series under its leader's token; what is too old or too much goes.
-- KEYS fence pacing | ARGV token keep_ms most field...
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
local now = redis.call('TIME')
redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f', tonumber(now[1]) * 1000 - tonumber(ARGV[2])))
return 1
