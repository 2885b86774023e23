-- Keep a contact as the engine gives it back. False: it was erased meanwhile. Where the list's data were replaced since
-- he was read (another revision), the engine's word waits in `behind` until it is merged.
local function keep(contacts, behind, contact, entry)
  local stands = redis.call('HGET', contacts, contact)
  if not stands then
    return false
  end
  if string.byte(stands) == 1 and string.byte(stands, 2) ~= string.byte(entry, 2) then
    redis.call('HSET', behind, contact, entry)
  else
    redis.call('HSET', contacts, contact, entry)
  end
  return true
end
