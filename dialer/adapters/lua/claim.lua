#!lua
-- Step 3: take contacts off the list, write their attempts down as open and the decisions into the log.
-- KEYS fence open ready counters log log-head later
-- ARGV token, then (attempt contact json body sha256-of-body by-hand)...; by-hand 1: also who is due later
-- One answer each: the score it had on the list, 'later SCORE', 'again' when it had been claimed before, nil when it is
-- not there.
-- with chain
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
local tell, close = chain(KEYS[5], KEYS[6])
local answers, new = {}, 0
for i = 2, #ARGV, 6 do
  local attempt, contact = ARGV[i], ARGV[i + 1]
  local answer = false
  if redis.call('HEXISTS', KEYS[2], attempt) == 1 then
    answer = 'again'
  else
    answer = contact == '' and '0' or redis.call('ZSCORE', KEYS[3], contact)
    if not answer and ARGV[i + 5] == '1' then
      answer = redis.call('ZSCORE', KEYS[7], contact)
      answer = answer and 'later ' .. answer
    end
    if answer then
      redis.call('HSET', KEYS[2], attempt, ARGV[i + 2])
      redis.call('ZREM', KEYS[3], contact)
      if ARGV[i + 5] == '1' then
        redis.call('ZREM', KEYS[7], contact)
      end
      tell(ARGV[i + 3], ARGV[i + 4])
      new = new + 1
    end
  end
  answers[#answers + 1] = answer
end
close()
if new > 0 then
  redis.call('HINCRBY', KEYS[4], 'attempts', new)
end
return answers
