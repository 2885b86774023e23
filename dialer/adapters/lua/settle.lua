#!lua flags=allow-oom
-- What a written outcome means for one person or number: of two histories the stricter stays. Each line may be repeated
-- without harm.
-- Of a person also a line of his history and the promise that he made. Who was erased during the call is not remembered.
-- KEYS state attempts talks [history promises]
-- ARGV attempt talk_at stop silent_until dead count keep_ms tried_at abandoned_at machine_at hardship
--      [most keep_s line promise promises_most]
-- with remember
local erased = redis.call('HGET', KEYS[1], 'forgotten') == ARGV[1]
if erased then
  redis.call('DEL', KEYS[2], KEYS[3])
  ARGV[2], ARGV[4], ARGV[5], ARGV[9], ARGV[10], ARGV[11] = '', '0', '0', '0', '0', '0'  -- a stop alone counts
end
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
if ARGV[6] == '0' then
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('ZADD', KEYS[2], 'XX', 'GT', ARGV[8], ARGV[1])  -- a cap runs from the call, not from its claim
end
local names = {'lock', 'stop', 'silent', 'dead', 'stops', 'abandoned', 'machine', 'hardship', 'forgotten'}
local seen = {}
for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
  seen[names[i]] = value
end
local changed = ARGV[2] ~= ''
local function flag(name, wanted)
  if wanted == '1' and not seen[name] then
    redis.call('HSET', KEYS[1], name, '1')
    seen[name], changed = '1', true
  end
end
local function latest(name, at)
  if tonumber(at) > tonumber(seen[name] or '0') then
    redis.call('HSET', KEYS[1], name, at)
    seen[name], changed = at, true
  end
end
flag('stop', ARGV[3])
latest('silent', ARGV[4])
flag('dead', ARGV[5])
latest('abandoned', ARGV[9])
latest('machine', ARGV[10])
flag('hardship', ARGV[11])
if seen.lock and string.match(seen.lock, '^%S+') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'lock', 'thief', 'changed', 'forgotten')
elseif seen.lock and changed then
  redis.call('HSET', KEYS[1], 'changed', '1')  -- somebody else is about to call
end
if #KEYS > 3 and not erased then
  if ARGV[14] ~= '' then
    remember(KEYS[4], ARGV[12], ARGV[13], ARGV[14])
  end
  if ARGV[15] ~= '' and redis.call('HSETNX', KEYS[5], ARGV[1], ARGV[15]) == 1 then
    redis.call('PEXPIRE', KEYS[5], string.format('%.0f', tonumber(ARGV[13]) * 1000))
    if redis.call('HLEN', KEYS[5]) > tonumber(ARGV[16]) then
      local ids = redis.call('HKEYS', KEYS[5])
      table.sort(ids)  -- by time
      redis.call('HDEL', KEYS[5], ids[1])
    end
  end
end
if seen.stop or seen.silent or seen.dead or seen.stops or seen.hardship then
  redis.call('PERSIST', KEYS[1])
elseif changed then
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
return 1
