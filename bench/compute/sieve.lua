-- The sieve of Eratosthenes: how many primes there are up to n, and their sum.
local n = tonumber(arg[1] or "1000000")

local function primes(n)
  local composite = {}
  for i = 1, n do composite[i] = false end
  local count, sum = 0, 0
  for i = 2, n do
    if not composite[i] then
      count = count + 1
      sum = sum + i
      local multiple = i * i
      while multiple <= n do
        composite[multiple] = true
        multiple = multiple + i
      end
    end
  end
  return count, sum
end

local count, sum = primes(n)
print(string.format("%d %d", count, sum))
