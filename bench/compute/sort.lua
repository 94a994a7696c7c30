-- Numbers, words and tables, sorted by the library.
local n = tonumber(arg[1] or "50000")
local floor = math.floor

local function people(n)
  local names = { "Ann", "Bob", "Cid", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Jim", "Kay" }
  local people = {}
  local seed = 42
  for id = 0, n - 1 do
    seed = seed * 16807 % 2147483647
    local name = names[floor(seed / 16) % 11 + 1] .. " " .. floor(seed / 256) % 1000
    people[id + 1] = { id = id, name = name, age = floor(seed / 65536) % 90 }
  end
  return people
end

local people = people(n)
local ages, names, by_age = {}, {}, {}
for i, p in ipairs(people) do
  ages[i] = p.age * 1000 + p.id % 997
  names[i] = p.name
  by_age[i] = p
end
table.sort(ages)
table.sort(names)
-- Of the same age, who came first stands first.
table.sort(by_age, function(a, b)
  if a.age ~= b.age then return a.age < b.age end
  return a.id < b.id
end)
local sum = 0
for i, p in ipairs(by_age) do sum = (sum * 31 + p.id + ages[i]) % 1000000007 end
local half, third = floor(n / 2) + 1, floor(n / 3) + 1
print(string.format("%d %s %s %d", ages[half], names[third], by_age[half].name, sum))
