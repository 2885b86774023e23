-- The log of decisions: each entry hangs on the one before it (decisionlog.py). Returns: tell(body, its sha256), and
-- what writes the new head down at the end.
local function chain(log, head_key)
  local seq, head
  local function tell(body, digest)
    if body == '' then
      return
    end
    if not seq then
      seq, head = string.match(redis.call('GET', head_key) or '', '^(%d+) (%x+)$')
      seq, head = tonumber(seq or '0'), head or string.rep('0', 40)
    end
    local prev = head
    seq = seq + 1
    local word = string.format('%.0f', seq)
    head = redis.sha1hex(prev .. ' ' .. word .. ' ' .. digest)
    redis.call('XADD', log, '*', 'seq', word, 'prev', prev, 'hash', head, 'body', body)
  end
  local function close()
    if seq then
      redis.call('SET', head_key, string.format('%.0f', seq) .. ' ' .. head)
    end
  end
  return tell, close
end
