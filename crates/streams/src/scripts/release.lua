-- KEYS lease, owner ; ARGV token ; returns 1, or 0 when another consumer owns it
if redis.call('HGET', KEYS[2], 'tok') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'tok', '')
redis.call('DEL', KEYS[1])
return 1
