-- Takes a free partition. The nonce keeps the token unique even when a failover forgets an epoch.
-- KEYS lease, owner, stream ; ARGV nonce, member, ttl_ms, group ; returns the token, or false
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
permit(KEYS[2], 'HINCRBY', 'HSET')
permit(KEYS[1], 'SET')
write_at_full_memory(KEYS[2])
local made = redis.pcall('XGROUP', 'CREATE', KEYS[3], ARGV[4], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
local epoch = redis.call('HINCRBY', KEYS[2], 'epoch', 1)
local token = string.format('%.0f', epoch) .. ':' .. ARGV[1]
redis.call('HSET', KEYS[2], 'tok', token, 'w', ARGV[2])
redis.call('SET', KEYS[1], token, 'PX', ARGV[3])
return token
