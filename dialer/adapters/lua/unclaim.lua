#!lua flags=allow-oom
-- Step 4 said no: the attempts never were, their contacts go back to where they stood, and the log is told.
-- KEYS fence open ready later counters log log-head contacts withdrawn rest
-- ARGV token at, then (attempt contact score body sha256-of-body)...
-- with chain
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local tell, close = chain(KEYS[6], KEYS[7])
local undone = 0
for i = 3, #ARGV, 5 do
  local attempt, contact, score = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HDEL', KEYS[2], attempt) == 1 then
    undone = undone + 1
    if redis.call('HEXISTS', KEYS[8], contact) == 0 then
      score = nil  -- of no list, or erased meanwhile
    elseif redis.call('SISMEMBER', KEYS[9], contact) == 1 then
      redis.call('ZADD', KEYS[10], ARGV[2], contact)
    elseif string.sub(score, 1, 6) == 'later ' then
      redis.call('ZADD', KEYS[4], string.sub(score, 7), contact)
    elseif score == 'again' then
      redis.call('ZADD', KEYS[4], ARGV[2], contact)
    else
      redis.call('ZADD', KEYS[3], score, contact)
    end
    tell(ARGV[i + 3], ARGV[i + 4])
  end
end
close()
if undone > 0 then
  redis.call('HINCRBY', KEYS[5], 'attempts', -undone)
end
return undone
