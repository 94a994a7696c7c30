-- A text is put together piece by piece, searched, changed and taken apart.
local n = tonumber(arg[1] or "50000")

local function built(n)
  local pieces = {}
  for i = 0, n - 1 do pieces[i + 1] = "item-" .. i % 100 .. " costs " .. i * 7 % 1000 .. "; " end
  return table.concat(pieces)
end

-- The sum of all positions at which the word is, counted from 0.
local function positions(text, word)
  local sum, from = 0, 1
  while true do
    local at = text:find(word, from, true)
    if not at then return sum end
    sum = sum + at - 1
    from = at + #word
  end
end

local function split(text, separator)
  local parts, from = {}, 1
  while true do
    local at = text:find(separator, from, true)
    if not at then
      parts[#parts + 1] = text:sub(from)
      return parts
    end
    parts[#parts + 1] = text:sub(from, at - 1)
    from = at + #separator
  end
end

local text = built(n)
local places = positions(text, "item-77 ")
local loud = text:gsub("costs", "is"):upper()
local long, cheap = 0, 0
for _, part in ipairs(split(loud, "; ")) do
  if #part > 12 then long = long + 1 end
  if part:sub(-2) == " 7" then cheap = cheap + 1 end
end
print(string.format("%d %d %d %d %d %s", #text, places, #loud, long, cheap, loud:sub(1, 6)))
