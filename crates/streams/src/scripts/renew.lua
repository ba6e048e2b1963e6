-- Also brings back a lease that ran out while nobody took it. The first write is one that full memory
-- does not refuse.
-- KEYS lease, owner ; ARGV token, ttl_ms ; returns 1, or 0 when another consumer owns it
if redis.call('HGET', KEYS[2], 'tok') ~= ARGV[1] then return 0 end
if redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 0 then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1
