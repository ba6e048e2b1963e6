-- Starts processing an entry: checks the token, counts the attempt, reads what the handler needs. A start
-- that is repeated because its answer was lost keeps its name, and counts once.
-- KEYS owner, attempts, done, list, stream, hash…
-- ARGV token, entry id, start's name, group, list length, then for each hash: n, field…
-- returns {'FENCED'} | {'DONE'}: there is nothing to do, its effects are there or somebody removed it
--       | {'OK', attempt, starts that never ended, list, fields of hash 1, fields of hash 2, …}
if is_fenced(KEYS[1], ARGV[1]) then return {'FENCED'} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'DONE'} end
local unended, tried, name = read_starts(KEYS[2], ARGV[2])
if not name and not is_delivered(KEYS[5], ARGV[4], ARGV[2]) then return {'DONE'} end
local length = tonumber(ARGV[5])
local reply = {'OK', 0, 0, length > 0 and redis.call('LRANGE', KEYS[4], -length, -1) or {}}
local i = 6
for k = 6, #KEYS do
  local n = tonumber(ARGV[i])
  reply[#reply + 1] = redis.call('HMGET', KEYS[k], unpack(ARGV, i + 1, i + n))
  i = i + n + 1
end
if name ~= ARGV[3] then
  unended, tried = unended + 1, tried + 1
  write_starts(KEYS[2], ARGV[2], unended, tried, ARGV[3])
end
reply[2], reply[3] = tried, unended
return reply
