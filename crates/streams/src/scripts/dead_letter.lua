-- Sets an entry aside with the reason. The same gate as commit, so one of the two wins.
-- KEYS owner, stream, attempts, dead letters, list
-- ARGV token, group, entry id, reason, error, attempts, failed at (ms), note for the list, list cap
-- returns {'FENCED'} | {'ALREADY'} | {'OK', dead letter id}
if redis.call('HGET', KEYS[1], 'tok') ~= ARGV[1] then return {'FENCED'} end
local entry = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])
if redis.call('XACK', KEYS[2], ARGV[2], ARGV[3]) == 0 then return {'ALREADY'} end
local fields = {'_id', ARGV[3], '_reason', ARGV[4], '_error', ARGV[5], '_attempts', ARGV[6], '_failed_at', ARGV[7]}
if entry[1] then
  for _, part in ipairs(entry[1][2]) do fields[#fields + 1] = part end
end
local id = redis.call('XADD', KEYS[4], '*', unpack(fields))
redis.call('XDEL', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[3])
if ARGV[8] ~= '' then
  redis.call('RPUSH', KEYS[5], ARGV[8])
  redis.call('LTRIM', KEYS[5], -tonumber(ARGV[9]), -1)
end
return {'OK', id}
