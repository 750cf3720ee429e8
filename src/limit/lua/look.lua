-- How limits stand.
--   KEYS: the key of each limit, of budgets two
--   ARGV: time; then for each limit: r, s or b; windows: length; budgets: the period's start and end, or 0 and 0
-- Returns {1, now, then of each: used, reserved, resets in}, or {2, now}: a period is not that of now.

local reply, key = {1, now}, 1
for at = 2, #ARGV, 3 do
  local kind, from, until_end = ARGV[at], number(ARGV[at + 1]), number(ARGV[at + 2])
  local used, reserved, resets_in = 0, 0, 0
  if kind == 'r' then
    local w = window_of(KEYS[key], from)
    used, resets_in = w.total, empty_in(w)
  elseif kind == 's' then
    reserved = slots_of(KEYS[key]).total
  else
    if until_end > 0 and (now < from or now >= until_end) then return {2, now} end
    local b = budget_of(KEYS[key], KEYS[key + 1], until_end)
    used, reserved, resets_in = b.spent, b.reserved, budget_resets_in(b)
    key = key + 1
  end
  key = key + 1
  reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = used, reserved, resets_in
end
return reply
