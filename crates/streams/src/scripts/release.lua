-- KEYS lease, owner ; ARGV token ; returns 1, or 0 when another consumer owns it
if redis.call('HGET', KEYS[2], 'tok') ~= ARGV[1] then return 0 end
permit(KEYS[2], 'HSET')
-- Gone at once. The first write is one that full memory does not refuse.
redis.call('PEXPIRE', KEYS[1], 0)
redis.call('HSET', KEYS[2], 'tok', '')
return 1
