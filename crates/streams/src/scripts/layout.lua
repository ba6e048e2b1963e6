-- The number of partitions is fixed by whoever starts first.
-- KEYS partitions ; ARGV wanted ; returns the number in force
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
