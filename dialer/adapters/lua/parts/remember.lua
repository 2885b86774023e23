-- One entry more of a person's history; false: it stands there already. Dropped are the oldest beyond `most`, and those
-- that were kept for `keep_s` when this one was written (the time is in front of each).
local function remember(history, most, keep_s, entry)
  if redis.call('LPOS', history, entry, 'RANK', '-1') then
    return false
  end
  redis.call('RPUSH', history, entry)
  redis.call('LTRIM', history, '-' .. most, '-1')
  local since = struct.unpack('>I4', entry) - tonumber(keep_s)
  for _ = 1, tonumber(most) do
    local oldest = redis.call('LINDEX', history, '0')
    if not oldest or #oldest < 4 or struct.unpack('>I4', oldest) >= since then
      break
    end
    redis.call('LPOP', history)
  end
  redis.call('PEXPIRE', history, string.format('%.0f', tonumber(keep_s) * 1000))
  return true
end
