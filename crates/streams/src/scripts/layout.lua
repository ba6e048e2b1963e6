-- The number of partitions is fixed by whoever starts first.
-- KEYS partitions ; ARGV wanted ; returns the number in force
local stored = redis.call('GET', KEYS[1])
if stored then return stored end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
