-- Whether the entry waits to be ended by somebody. Its stream is not asked for the entry itself: Lua would
-- have to take in all of its fields.
local function is_delivered(stream, group, id)
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  if pending.err and not string.find(pending.err, 'NOGROUP', 1, true) then error(pending.err) end
  return #pending > 0
end
