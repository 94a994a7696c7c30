-- The hook of wrk: counts responses with status 200, which is the least that a check can do there.
local threads = {}
local ok = 0
good = 0

function setup(thread)
  table.insert(threads, thread)
end

function response(status, headers, body)
  if status == 200 then
    good = good + 1
  end
end

function done(summary, latency, requests)
  for _, thread in ipairs(threads) do
    ok = ok + thread:get("good")
  end
  print("status 200: " .. ok)
end
