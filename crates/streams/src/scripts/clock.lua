-- KEYS any key of this deployment ; returns the server's time in milliseconds since 1970
local t = redis.call('TIME')
return t[1] * 1000 + math.floor(t[2] / 1000)
