-- Makes a person of their own of some of a person's names.
-- KEYS the person, the new person, the names
-- ARGV id, new id, now ms, field and line of the audit trail,
--      for each name: the name, the name that it goes with, whether it is kept apart (0/1)
-- returns 1 | 0 when something has changed meanwhile
for k = 3, #KEYS do
  if redis.call('GET', KEYS[k]) ~= ARGV[1] then return 0 end
end
permit(KEYS[1], 'HSET', 'HDEL')
permit(KEYS[2], 'HSET')
for k = 3, #KEYS do permit(KEYS[k], 'SET') end

write_at_full_memory(KEYS[1])
local revision = math.max(tonumber(redis.call('HGET', KEYS[1], 'rev') or 0) + 1, tonumber(ARGV[3]))
redis.call('HSET', KEYS[2], 'since', ARGV[3], 'rev', revision, ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], 'rev', revision, ARGV[4], ARGV[5])
for k = 3, #KEYS do
  local at = 6 + 3 * (k - 3)
  local name = ARGV[at]
  redis.call('SET', KEYS[k], ARGV[2])
  redis.call('HDEL', KEYS[1], 'm:' .. name, 'p:' .. name)
  redis.call('HSET', KEYS[2], 'm:' .. name, ARGV[at + 1])
  if ARGV[at + 2] == '1' then redis.call('HSET', KEYS[2], 'p:' .. name, ARGV[3]) end
end
return 1
