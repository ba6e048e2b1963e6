-- Says that a consumer lives, forgets those that did not say so for a lease's time, and lists the rest.
-- Server time: a wrong count would only be unfair, but host clocks need not even agree.
-- Who spoke in the future did so before the clock stepped back: it counts from now.
-- The first write is one that full memory does not refuse.
-- KEYS members ; ARGV member, ttl_ms ; returns the live members
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], string.format('(%.0f', now), '+inf', 'BYSCORE')) do
  redis.call('ZADD', KEYS[1], now, member)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)
