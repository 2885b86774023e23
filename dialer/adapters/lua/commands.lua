#!lua flags=no-writes
-- Commands not yet applied, oldest first, to the leader only.
-- KEYS fence commands | ARGV token limit
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return redis.error_reply('NOTLEADER token ' .. ARGV[1] .. ' is old')
end
return redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[2])
