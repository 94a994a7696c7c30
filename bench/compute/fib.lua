-- Fibonacci numbers by plain recursion: what a call costs.
local n = tonumber(arg[1] or "30")

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

print(fib(n))
