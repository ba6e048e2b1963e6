-- Exact sliding window: a sorted set of the requests that were let through, scored by time.
-- Answers nil when the request fits, else the milliseconds until one does. ZADD comes first of the
-- writes: it is refused when memory is full.
local function refused_for_ms(key, limit, window_ms, request)
  local t = redis.call('TIME')
  local now = t[1] * 1000000 + t[2]
  local oldest_counted = '(' .. string.format('%.0f', now - window_ms * 1000)
  if redis.call('ZCOUNT', key, oldest_counted, '+inf') >= limit then
    local oldest = redis.call('ZRANGEBYSCORE', key, oldest_counted, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    return math.max(1, math.ceil((oldest[2] + window_ms * 1000 - now) / 1000))
  end
  permit(key, 'ZADD', 'ZREMRANGEBYSCORE', 'PEXPIRE')
  redis.call('ZADD', key, now, request)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window_ms * 1000))
  redis.call('PEXPIRE', key, window_ms)
  return nil
end
