-- Sets an entry aside with the reason. It asks for the same pending entry as commit, so one of the two
-- wins. A note that cannot be written must not keep the entry.
-- KEYS owner, stream, attempts, dead letters, list
-- ARGV token, group, entry id, reason, error, attempts, failed at (ms), note for the list, list cap,
--      ttl s of a list that has none
-- returns {'FENCED'} | {'ALREADY'} | {'OK', dead letter id}
if is_fenced(KEYS[1], ARGV[1]) then return {'FENCED'} end
if not is_pending(KEYS[2], ARGV[2], KEYS[3], ARGV[3]) then return {'ALREADY'} end
local fields = {'_id', ARGV[3], '_reason', ARGV[4], '_error', ARGV[5], '_attempts', ARGV[6], '_failed_at', ARGV[7]}
add_fields(fields, KEYS[2], ARGV[3])
local kind = redis.call('TYPE', KEYS[5]).ok
local noted = ARGV[8] ~= '' and (kind == 'list' or kind == 'none')
redis.call('XLEN', KEYS[4])
permit_end(KEYS[2], KEYS[3])
permit(KEYS[4], 'XADD')
if noted then permit(KEYS[5], 'RPUSH', 'LTRIM', 'EXPIRE') end

write_at_full_memory(KEYS[3])
if noted then
  redis.call('RPUSH', KEYS[5], ARGV[8])
  redis.call('LTRIM', KEYS[5], -tonumber(ARGV[9]), -1)
  if redis.call('TTL', KEYS[5]) == -1 then redis.call('EXPIRE', KEYS[5], ARGV[10]) end
end
local id = redis.call('XADD', KEYS[4], '*', unpack(fields))
end_entry(KEYS[2], ARGV[2], KEYS[3], ARGV[3])
return {'OK', id}
