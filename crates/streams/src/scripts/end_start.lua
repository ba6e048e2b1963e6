-- A start of processing has ended, and its entry goes on: it failed, or its process stops. Starts that
-- never end are crashes; a start that only its process' stop ended is taken back as an attempt, too.
-- KEYS owner, attempts ; ARGV token, entry id, start's name, attempts to take back (0/1)
if is_fenced(KEYS[1], ARGV[1]) then return 0 end
local unended, tried, name = read_starts(KEYS[2], ARGV[2])
if name ~= ARGV[3] then return 0 end
write_starts(KEYS[2], ARGV[2], unended - 1, tried - ARGV[4], '')
return 1
