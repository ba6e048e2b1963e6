-- Rate limit, dedup and XADD in one round trip. The first write is the XADD, which full memory refuses: new
-- work must not take the memory that work in progress needs, and nothing is left behind that would swallow
-- the provider's retry. A repetition is answered as such whatever the limit says, and uses nothing of it.
-- What a colleague wrote fences: it raises the version of the conversation's state, so that no turn begun
-- before it commits, and leaves its id there, by which what such a turn said is not sent.
-- KEYS stream, dedup, replay, recent, the conversation's state
-- ARGV limit (0: off), window_ms, max_backlog (0: off), dedup_ttl_s (0: no dedup),
--      replay_ttl_s (0: no replay key), dedup_value, ttl_s of a state that has none (0: no fence),
--      field, value, …
-- What was let through in the future was so before Redis' clock stepped back, and is forgotten.
-- A work stream that is full refuses; the stream of rejected events drops its oldest.
-- returns {'DUP', value} | {'RATE', ms} | {'BUSY', backlog} | {'OK', id, backlog}
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000
local most, dedup_ttl, replay_ttl = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local fence_ttl = tonumber(ARGV[7])
local seen = dedup_ttl > 0 and redis.call('GET', KEYS[2])
  or replay_ttl > 0 and redis.call('GET', KEYS[3])
if seen then return {'DUP', seen} end
-- When the messages of the last window were let through, oldest first: microseconds, 16 digits each.
local WIDTH = 16
local recent, now = '', nil
local function moment(first) return tonumber(string.sub(recent, first, first + WIDTH - 1)) end
if limit > 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
  recent = redis.call('GET', KEYS[4]) or ''
  local first, past = 1, #recent + 1
  while first < past and moment(past - WIDTH) > now do past = past - WIDTH end
  while first < past and moment(first) <= now - window do first = first + WIDTH end
  recent = string.sub(recent, first, past - 1)
  -- Room comes when the limit-th youngest leaves the window.
  local leaving = #recent - limit * WIDTH + 1
  if leaving > 0 then
    return {'RATE', math.max(1, math.ceil((moment(leaving) + window - now) / 1000))}
  end
end
local backlog = redis.call('XLEN', KEYS[1])
local full = most > 0 and backlog >= most
local drops = ARGV[6] == 'rejected'
if full and not drops then return {'BUSY', backlog} end
permit(KEYS[1], 'XADD')
if full then permit(KEYS[1], 'XTRIM') end
if dedup_ttl > 0 then permit(KEYS[2], 'SET') end
if replay_ttl > 0 then permit(KEYS[3], 'SET') end
if limit > 0 then permit(KEYS[4], 'SET') end
if fence_ttl > 0 then
  redis.call('HLEN', KEYS[5])
  permit(KEYS[5], 'HSET', 'EXPIRE')
end
local fields = {unpack(ARGV, 8)}
-- How long after the message before it this one comes, in ms: what tells a burst, also to a new owner.
if recent ~= '' then
  fields[#fields + 1] = 'gap'
  fields[#fields + 1] = math.floor((now - moment(#recent - WIDTH + 1)) / 1000)
end
local id = redis.call('XADD', KEYS[1], '*', unpack(fields))
if fence_ttl > 0 then
  local version = tonumber(redis.call('HGET', KEYS[5], 'ver') or 0)
  redis.call('HSET', KEYS[5], 'ver', version + 1, 'colleague', id)
  if redis.call('TTL', KEYS[5]) == -1 then redis.call('EXPIRE', KEYS[5], fence_ttl) end
end
if full then
  redis.call('XTRIM', KEYS[1], 'MAXLEN', most)
  backlog = most - 1
end
if limit > 0 then redis.call('SET', KEYS[4], recent .. string.format('%016.0f', now), 'PX', ARGV[2]) end
if dedup_ttl > 0 then redis.call('SET', KEYS[2], ARGV[6], 'EX', dedup_ttl) end
if replay_ttl > 0 then redis.call('SET', KEYS[3], ARGV[6], 'EX', replay_ttl) end
return {'OK', id, backlog + 1}
