-- A replica is alive, and so are requests of it.
--   KEYS: the replicas; then the sorted set of each slot or reservation that goes on
--   ARGV: time; the replica; how long a lease is; then for each such key: s or b; the member
-- Returns how many replicas are alive. What has expired and was dropped stays dropped: its place may be taken.

local replica, lease = ARGV[2], ARGV[3]
local expires, twice = text(now + lease), text(2 * lease + kSlack)
call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_text)
call('ZADD', KEYS[1], expires, replica)
call('PEXPIRE', KEYS[1], twice)
for i = 2, #KEYS do
  call('ZADD', KEYS[i], 'XX', expires, ARGV[2 * i + 1])
  if ARGV[2 * i] == 's' then call('PEXPIRE', KEYS[i], twice) end
end
return call('ZCARD', KEYS[1])
