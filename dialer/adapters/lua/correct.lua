#!lua
-- A correction entry, once for the same words; with what follows for person and number, which is settled next, and for
-- the contact, if he stands on the list.
-- KEYS fence corrections outcomes unsettled contacts behind later ready rest withdrawn promised counters erased
-- ARGV token keep_ms attempt effects contact entry retry_at at ends promise field...
-- A promise is the word by which `promised` knows it, and when it ends; empty: none was made.
-- 1 written, 0 the same words were before, 2 nothing: his person was erased.
-- with keep
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
if redis.call('ZSCORE', KEYS[13], ARGV[3]) then
  return 2
end
if redis.call('SADD', KEYS[2], redis.sha1hex(table.concat(ARGV, '\n', 11))) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 11))
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[4], ARGV[3], ARGV[4])
end
if ARGV[10] ~= '' then
  if redis.call('ZADD', KEYS[11], ARGV[9], ARGV[10]) == 1 then
    redis.call('HINCRBY', KEYS[12], 'promise:made', 1)
  end
end
local contact, stands = ARGV[5], 0
if contact ~= '' then
  for i = 7, 9 do
    stands = stands + redis.call('ZREM', KEYS[i], contact)
  end
end
if stands > 0 and keep(KEYS[5], KEYS[6], contact, ARGV[6]) then
  if ARGV[7] == '' or redis.call('SISMEMBER', KEYS[10], contact) == 1 then
    redis.call('ZADD', KEYS[9], ARGV[8], contact)
  else
    redis.call('ZADD', KEYS[7], ARGV[7], contact)
  end
end
return 1
