#!lua
-- How an agent stands, for his desk: the last note is kept and published, each has the next number. One that comes after
-- a newer one of the same campaign is dropped, and so is one of a campaign that another has got him from.
-- KEYS note agent-campaign | ARGV campaign token turn keep_ms json
local home = redis.call('GET', KEYS[2])
if home and home ~= ARGV[1] then
  return 0
end
local seq = 0
local known, seen = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
if known and type(seen) == 'table' and type(seen.seq) == 'number' then
  seq = seen.seq
  if seen.campaign == ARGV[1] then
    local token, turn = tonumber(ARGV[2]), tonumber(ARGV[3])
    if seen.token > token or (seen.token == token and seen.turn >= turn) then
      return 0
    end
  end
end
local note = '{"seq":' .. string.format('%.0f', seq + 1) .. ',' .. string.sub(ARGV[5], 2)
redis.call('SET', KEYS[1], note, 'PX', ARGV[4])
redis.call('PUBLISH', KEYS[1], note)
return seq + 1
