-- The rate limit alone, for a cluster, where its key lives in another slot than the stream.
-- KEYS rate ; ARGV limit, window_ms, request ; returns 0 or the milliseconds to wait
return refused_for_ms(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]) or 0
