-- What all scripts begin with: the time, and the books of one limit. Times are milliseconds of Redis' own clock; only
-- tests set ARGV[1], to a time that is taken instead. Nobody but these scripts writes these keys, and any of them may be
-- missing at any time (FLUSHALL, eviction): then nothing was taken.

local call, floor, number = redis.call, math.floor, tonumber
local now = number(ARGV[1])
if not now then
  local clock = call('TIME')
  now = clock[1] * 1000 + floor(clock[2] / 1000)
end

-- Whole numbers as text: Redis and Lua take longer to write them.
local format = string.format
local function text(n) return format('%d', n) end
local now_text = text(now)

-- How much longer than needed a key is kept, at least.
local kSlack = 60000

-- Whether `amount` more is within `most`. Beyond 2^53 doubles round: there the limit is taken to be a little lower.
local kExact = 2 ^ 53
local function fits(used, amount, most)
  local sum = used + amount
  if sum > kExact then sum = sum + 4096 end
  return sum <= most
end

-- A sliding window is a hash: `slot` is the newest slot (1/20 of the window) since the epoch, `total` what is counted,
-- and 21 cells, used in turn, the amount of one slot each. A slot is counted until all of it is older than the window.
local kCells, kCellMost = 21, 2 ^ 47 - 1

local function keep_window(w)
  call('PEXPIRE', w.key, text(kCells * w.width + kSlack))
  w.new = false
end

-- Empties the cells whose slots have left the window since the hash was written.
local function roll(w, newest)
  local cells = {}
  for slot = newest + 1, w.slot do cells[#cells + 1] = text(slot % kCells) end
  local amounts = call('HMGET', w.key, unpack(cells))
  local change = {}
  for i, cell in ipairs(cells) do
    w.total = w.total - (number(amounts[i]) or 0)
    change[2 * i - 1], change[2 * i] = cell, '0'
  end
  w.total, w.count = math.max(w.total, 0), 0
  call('HSET', w.key, 'slot', text(w.slot), 'total', text(w.total), unpack(change))
  keep_window(w)
end

local function window_of(key, length)
  local width = length / 20
  local slot = floor(now / width)
  local cell = text(slot % kCells)
  local seen = call('HMGET', key, 'slot', 'total', cell)
  local newest = number(seen[1])
  local w = {key = key, width = width, slot = slot, cell = cell, total = number(seen[2]) or 0,
             count = number(seen[3]) or 0, pending = 0}
  if newest == slot then return w end
  if newest and newest < slot and slot - newest < kCells then
    roll(w, newest)
    return w
  end
  if newest then call('DEL', key) end
  -- Should the clock go back, all that was counted counts as taken now.
  if not newest or newest < slot then w.total = 0 end
  w.count, w.new = w.total, true
  if w.total > 0 then
    call('HSET', key, 'slot', text(slot), 'total', text(w.total), cell, text(w.count))
    keep_window(w)
  end
  return w
end

local function count_in(w, amount)
  amount = math.min(amount, kCellMost - w.count)
  if amount <= 0 then return end
  w.total, w.count = w.total + amount, w.count + amount
  call('HSET', w.key, 'total', text(w.total), w.cell, text(w.count))
  if w.new then
    call('HSET', w.key, 'slot', text(w.slot))
    keep_window(w)
  end
end

-- Takes back what was counted at `at`, unless that has left the window.
local function give_back(w, amount, at)
  local slot = floor(at / w.width)
  if slot > w.slot or w.slot - slot >= kCells then return end
  local cell = text(slot % kCells)
  local had = number(call('HGET', w.key, cell)) or 0
  local back = math.min(amount, had, w.total)
  if back <= 0 then return end
  w.total = w.total - back
  if cell == w.cell then w.count = w.count - back end
  call('HSET', w.key, 'total', text(w.total), cell, text(had - back))
end

local function leaves_in(w, slot) return math.max(math.ceil((slot + kCells) * w.width - now), 1) end

-- The cells from the oldest slot to the newest.
local function amounts_of(w)
  local cells = {}
  for slot = w.slot - kCells + 1, w.slot do cells[#cells + 1] = text(slot % kCells) end
  return call('HMGET', w.key, unpack(cells))
end

-- When `amount` will fit if nothing else is taken.
local function wait_of(w, amount, most)
  local over = w.total - (most - amount)
  for i, counted in ipairs(amounts_of(w)) do
    over = over - (number(counted) or 0)
    if over <= 0 then return leaves_in(w, w.slot - kCells + i) end
  end
  return leaves_in(w, w.slot)
end

-- When nothing will be counted if nothing else is taken.
local function empty_in(w)
  local amounts = amounts_of(w)
  for i = kCells, 1, -1 do
    if (number(amounts[i]) or 0) > 0 then return leaves_in(w, w.slot - kCells + i) end
  end
  return 0
end

-- Slots of concurrency are a sorted set: whose, until when. Who has not renewed in time holds nothing.
local function slots_of(key)
  call('ZREMRANGEBYSCORE', key, '-inf', now_text)
  return {key = key, total = call('ZCARD', key), pending = 0}
end

-- A budget in one period is a hash, `spent` and `reserved`, and a sorted set beside it: what is reserved, as
-- "lease:place:amount", until when. Both are kept for a week after the period's end, for what is settled late.
local kKeep, kMoneyMost = 7 * 86400000, 9.2e18

local function change_money(b, field, had, amount)
  if had + amount > kMoneyMost then return call('HSET', b.key, field, '9200000000000000000') end
  if call('HINCRBY', b.key, field, amount) < 0 then call('HSET', b.key, field, 0) end
end

-- What was reserved by those who have not renewed in time is free again; a thousand of them per call.
local function drop_expired(b)
  local gone = call('ZRANGEBYSCORE', b.holds, '-inf', now_text, 'LIMIT', 0, 1000)
  if #gone == 0 then return end
  call('ZREMRANGEBYRANK', b.holds, 0, #gone - 1)
  for _, member in ipairs(gone) do change_money(b, 'reserved', 0, '-' .. string.match(member, '%d+$')) end
end

local function budget_of(key, holds, until_end)
  local b = {key = key, holds = holds, until_end = number(until_end), pending = 0}
  drop_expired(b)
  local seen = call('HMGET', key, 'spent', 'reserved')
  b.new = not seen[1] and not seen[2]
  b.spent, b.reserved = number(seen[1]) or 0, number(seen[2]) or 0
  b.total = b.spent + b.reserved
  return b
end

local function keep_budget(b, key)
  if b.until_end > 0 then call('PEXPIRE', key, text(math.max(b.until_end - now, 0) + kKeep)) end
end

local function budget_resets_in(b) return b.until_end > 0 and math.max(b.until_end - now, 0) or 0 end
