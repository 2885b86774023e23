#!lua
-- A slice of a trunk's lines and calls per second for some seconds: a fair share, and never more than the others leave.
-- Its age is told by Redis's own clock: engines' clocks differ, and one that was ahead would keep its slice after it died.
-- KEYS slices | ARGV engine lines cps live_s
local time = redis.call('TIME')
local at, live = tonumber(time[1]) + tonumber(time[2]) / 1e6, tonumber(ARGV[4])
local all = redis.call('HGETALL', KEYS[1])
local engines, lines_held, cps_held = 1, 0, 0
for i = 1, #all, 2 do
  local lines, cps, since = string.match(all[i + 1], '^(%S+) (%S+) (%S+)$')
  if all[i] ~= ARGV[1] then
    if not since or math.abs(at - tonumber(since)) > live then
      redis.call('HDEL', KEYS[1], all[i])
    else
      engines = engines + 1
      lines_held = lines_held + tonumber(lines)
      cps_held = cps_held + tonumber(cps)
    end
  end
end
local lines_total, cps_total = tonumber(ARGV[2]), tonumber(ARGV[3])
local lines = math.max(0, math.min(math.ceil(lines_total / engines), lines_total - lines_held))
local cps = math.max(0, math.min(cps_total / engines, cps_total - cps_held))
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %.17g %.6f', lines, cps, at))
redis.call('PEXPIRE', KEYS[1], 60000)
return {lines, string.format('%.17g', cps)}
