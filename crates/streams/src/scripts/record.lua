-- Writes down how a send stands, under the fence, and ends its entry when told to.
-- KEYS owner, stream, attempts, record, list, index, target
-- ARGV token, group, entry id, end the entry (0/1), guard field ('' for none), ttl s,
--      counted run of record pairs, list item ('' for none), list cap, index value ('' for none),
--      counted run of pairs to add to the target stream
-- returns {'FENCED'} | {'HELD', guard value} | {'ALREADY'} | {'OK'}
if redis.call('HGET', KEYS[1], 'tok') ~= ARGV[1] then return {'FENCED'} end
if ARGV[5] ~= '' then
  local held = redis.call('HGET', KEYS[4], ARGV[5])
  if held then return {'HELD', held} end
end
local pairs_end = 7 + tonumber(ARGV[7])
local item, cap, index = ARGV[pairs_end + 1], ARGV[pairs_end + 2], ARGV[pairs_end + 3]
local target_start = pairs_end + 5
if ARGV[4] == '1' then
  if redis.call('XACK', KEYS[2], ARGV[2], ARGV[3]) == 0 then return {'ALREADY'} end
  redis.call('XDEL', KEYS[2], ARGV[3])
  redis.call('HDEL', KEYS[3], ARGV[3])
end
if pairs_end > 7 then
  redis.call('HSET', KEYS[4], unpack(ARGV, 8, pairs_end))
  redis.call('EXPIRE', KEYS[4], ARGV[6])
end
if item ~= '' then
  redis.call('LREM', KEYS[5], 1, item)
  redis.call('LPUSH', KEYS[5], item)
  redis.call('LTRIM', KEYS[5], 0, tonumber(cap) - 1)
  redis.call('EXPIRE', KEYS[5], ARGV[6])
end
if index ~= '' then redis.call('SET', KEYS[6], index, 'EX', ARGV[6]) end
if #ARGV >= target_start then redis.call('XADD', KEYS[7], '*', unpack(ARGV, target_start)) end
return {'OK'}
