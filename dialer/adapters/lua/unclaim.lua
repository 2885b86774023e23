#!lua flags=allow-oom
-- Step 4 said no: the attempts never were, their contacts go back to where they stood.
-- KEYS fence open ready later counters | ARGV token at, then (attempt contact score)...
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local undone = 0
for i = 3, #ARGV, 3 do
  local attempt, contact, score = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HDEL', KEYS[2], attempt) == 1 then
    undone = undone + 1
    if contact ~= '' and score == 'again' then
      redis.call('ZADD', KEYS[4], ARGV[2], contact)
    elseif contact ~= '' then
      redis.call('ZADD', KEYS[3], score, contact)
    end
  end
end
if undone > 0 then
  redis.call('HINCRBY', KEYS[5], 'attempts', -undone)
end
return undone
