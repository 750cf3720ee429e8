-- Who tells that a budget has reached a threshold, once per threshold and period.
--   KEYS: the mark of this id; the budget's hash in that period
--   ARGV: time; how long the mark is kept; the highest threshold reached
-- Returns the highest threshold that had been told before.

local known = call('GET', KEYS[1])
if known then return number(known) end
local told = number(call('HGET', KEYS[2], 'told')) or 0
if number(ARGV[3]) > told then call('HSET', KEYS[2], 'told', ARGV[3]) end
call('SET', KEYS[1], text(told), 'PX', ARGV[2])
return told
