-- How often each word occurs in a text of n words, and which ones do most often.
local n = tonumber(arg[1] or "100000")
local floor = math.floor

local function text(n)
  local starts = { "al", "be", "cor", "du", "ex", "fi", "gra", "hin", "il", "jo", "ka", "lem", "mo", "nu" }
  local ends = { "a", "bis", "con", "der", "est", "fus", "go", "ham", "is", "jar", "kel", "lo", "mus", "ner", "os" }
  local words = {}
  local seed = 42
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    local first = floor(seed / 8) % #starts
    local last = floor(seed / 1024) % #ends
    words[i] = starts[first + 1] .. ends[last + 1] .. floor(seed / 65536) % 5
  end
  return table.concat(words, " ")
end

local function counted(text)
  local counts = {}
  for word in text:gmatch("%S+") do counts[word] = (counts[word] or 0) + 1 end
  return counts
end

local counts = counted(text(n))
local entries = {}
for word, count in pairs(counts) do entries[#entries + 1] = { word = word, count = count } end
-- Words that occur as often as others come in the order of the alphabet.
table.sort(entries, function(a, b)
  if a.count ~= b.count then return a.count > b.count end
  return a.word < b.word
end)
local top = {}
for i = 1, math.min(5, #entries) do top[i] = entries[i].word .. " " .. entries[i].count end
print(table.concat(top, ", "))
print(string.format("%d %d", #entries, counts["corest3"] or 0))
