-- Takes a free partition. The nonce keeps the token unique even when a failover forgets an epoch.
-- A lease with more time left than it was given has outlived a step back of Redis' clock: it gets what it
-- was given, once.
-- KEYS lease, owner, stream ; ARGV nonce, member, ttl_ms, group ; returns the token, or false
local left = redis.call('PTTL', KEYS[1])
if left ~= -2 then
  local given = tonumber(redis.call('HGET', KEYS[2], 'ttl') or ARGV[3])
  if left > given then redis.call('PEXPIRE', KEYS[1], given) end
  return false
end
permit(KEYS[2], 'HINCRBY', 'HSET')
permit(KEYS[1], 'SET')
write_at_full_memory(KEYS[2])
local made = redis.pcall('XGROUP', 'CREATE', KEYS[3], ARGV[4], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
local epoch = redis.call('HINCRBY', KEYS[2], 'epoch', 1)
local token = string.format('%.0f', epoch) .. ':' .. ARGV[1]
redis.call('HSET', KEYS[2], 'tok', token, 'w', ARGV[2], 'ttl', ARGV[3], 'unanswered', '0')
redis.call('SET', KEYS[1], token, 'PX', ARGV[3])
return token
