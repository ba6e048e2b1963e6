-- A sender's clock is the beginning of its next free slot in microseconds since 1970. The digits after
-- the point say how far ahead that lay when it was written; earlier builds read over them. Where it lies
-- further ahead by now, Redis' clock has stepped back, and the slot begins no later than it would have.
-- returns the slot, and whether the clock has stepped back
local function read_clock(key, now, longest)
  local slot, ahead = string.match(redis.call('GET', key) or '', '^(%d+)%.?(%d*)$')
  if not slot then return now, false end
  local latest = now + (tonumber(ahead) or longest)
  slot = tonumber(slot)
  return math.max(math.min(slot, latest), now), slot > latest
end

-- The first write is one that full memory does not refuse: what is sent frees memory.
local function write_clock(key, now, slot)
  local kept_ms = math.ceil((slot - now) / 1000) + 2000
  permit(key, 'SET')
  redis.call('PEXPIRE', key, kept_ms)
  redis.call('SET', key, string.format('%.0f.%.0f', slot, slot - now), 'PX', kept_ms)
end
