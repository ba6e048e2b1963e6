-- Starts processing an entry: checks the token, counts the attempt, reads what the handler needs.
-- KEYS owner, attempts, done, list, hash…
-- ARGV token, entry id, count this start (0/1), list length, then for each hash: n, field…
-- returns {'FENCED'} | {'DONE'} | {'OK', attempt, list, fields of hash 1, fields of hash 2, …}
if redis.call('HGET', KEYS[1], 'tok') ~= ARGV[1] then return {'FENCED'} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'DONE'} end
local reply = {'OK', redis.call('HINCRBY', KEYS[2], ARGV[2], ARGV[3])}
local length = tonumber(ARGV[4])
reply[3] = length > 0 and redis.call('LRANGE', KEYS[4], -length, -1) or {}
local i = 5
for k = 5, #KEYS do
  local n = tonumber(ARGV[i])
  reply[#reply + 1] = redis.call('HMGET', KEYS[k], unpack(ARGV, i + 1, i + n))
  i = i + n + 1
end
return reply
