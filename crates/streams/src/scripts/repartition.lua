-- Changes the number of partitions where nothing depends on it any more: nobody works and nothing waits.
-- KEYS partitions, leases, streams kind by kind
-- ARGV the number in force, the new one or nothing to change nothing, how many leases, how many streams of a kind
-- returns {'CHANGED', the number in force} | {'WAITS', entries of each kind…} | {'RUNS'} | {'OK'}
local stored = redis.call('GET', KEYS[1])
if stored ~= ARGV[1] then return {'CHANGED', stored or ''} end
local leases, each = tonumber(ARGV[3]), tonumber(ARGV[4])
local answer, waits = {'WAITS'}, false
for first = 2 + leases, #KEYS, each do
  local entries = 0
  for k = first, first + each - 1 do entries = entries + redis.call('XLEN', KEYS[k]) end
  answer[#answer + 1] = entries
  waits = waits or entries > 0
end
if waits then return answer end
for k = 2, 1 + leases do
  if redis.call('EXISTS', KEYS[k]) == 1 then return {'RUNS'} end
end
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2]) end
return {'OK'}
