-- Exact sliding window: a sorted set of the requests that were let through, scored by time.
-- Answers nil when the request fits, else the milliseconds until one does.
local function refused_for_ms(key, limit, window_ms, request)
  local t = redis.call('TIME')
  local now = t[1] * 1000000 + t[2]
  local window = window_ms * 1000
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  if redis.call('ZCARD', key) >= limit then
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    return math.max(1, math.ceil((oldest[2] + window - now) / 1000))
  end
  redis.call('ZADD', key, now, request)
  redis.call('PEXPIRE', key, window_ms)
  return nil
end
