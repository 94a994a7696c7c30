-- A JSON text of n orders is read, changed and written again. Objects remember the order of their members, so that
-- what is written can be compared.
local n = tonumber(arg[1] or "2000")
local byte, char, find, sub, format = string.byte, string.char, string.find, string.sub, string.format
local concat, floor = table.concat, math.floor

-- The value null, and the key at which an object keeps the names of its members in order.
local null, order = {}, {}

-- Reading.

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8_of(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xc0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xe0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  local first, second = 0xf0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64
  return char(first, second, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

local function blanks(text, at)
  return find(text, "[^ \n\r\t]", at) or #text + 1
end

local function refuse(what, at)
  error("bad JSON: " .. what .. " at " .. at)
end

-- The code point of `\uXXXX` whose digits begin at a position, and the position behind it.
local function code_point(text, at)
  local code = tonumber(sub(text, at, at + 3), 16) or refuse("escape", at)
  at = at + 4
  if code >= 0xd800 and code < 0xdc00 and sub(text, at, at + 1) == "\\u" then
    local low = tonumber(sub(text, at + 2, at + 5), 16) or refuse("escape", at)
    return 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00), at + 6
  end
  return code, at
end

-- A string that begins with the quote at a position.
local function read_string(text, at)
  local from = at + 1
  local stop = find(text, '["\\]', from) or refuse("string", at)
  if byte(text, stop) == 34 then return sub(text, from, stop - 1), stop + 1 end
  local parts = {}
  while byte(text, stop) ~= 34 do
    parts[#parts + 1] = sub(text, from, stop - 1)
    local letter = sub(text, stop + 1, stop + 1)
    if letter == "u" then
      local code
      code, from = code_point(text, stop + 2)
      parts[#parts + 1] = utf8_of(code)
    else
      parts[#parts + 1] = escapes[letter] or refuse("escape", stop)
      from = stop + 2
    end
    stop = find(text, '["\\]', from) or refuse("string", at)
  end
  parts[#parts + 1] = sub(text, from, stop - 1)
  return concat(parts), stop + 1
end

local function read_number(text, at)
  local _, stop = find(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  if not stop then refuse("value", at) end
  return tonumber(sub(text, at, stop)), stop + 1
end

local words = { t = { "true", true }, f = { "false", false }, n = { "null", null } }
local read_value

local function read_list(text, at)
  local list = {}
  at = blanks(text, at + 1)
  if byte(text, at) == 93 then return list, at + 1 end
  while true do
    list[#list + 1], at = read_value(text, at)
    at = blanks(text, at)
    local mark = byte(text, at)
    if mark == 93 then return list, at + 1 end
    if mark ~= 44 then refuse("list", at) end
    at = blanks(text, at + 1)
  end
end

local function read_object(text, at)
  local names = {}
  local object = { [order] = names }
  at = blanks(text, at + 1)
  if byte(text, at) == 125 then return object, at + 1 end
  while true do
    if byte(text, at) ~= 34 then refuse("name", at) end
    local name
    name, at = read_string(text, at)
    at = blanks(text, at)
    if byte(text, at) ~= 58 then refuse("object", at) end
    if object[name] == nil then names[#names + 1] = name end
    object[name], at = read_value(text, blanks(text, at + 1))
    at = blanks(text, at)
    local mark = byte(text, at)
    if mark == 125 then return object, at + 1 end
    if mark ~= 44 then refuse("object", at) end
    at = blanks(text, at + 1)
  end
end

function read_value(text, at)
  local mark = byte(text, at)
  if mark == 123 then return read_object(text, at) end
  if mark == 91 then return read_list(text, at) end
  if mark == 34 then return read_string(text, at) end
  local word = words[char(mark or 0)]
  if not word then return read_number(text, at) end
  if sub(text, at, at + #word[1] - 1) ~= word[1] then refuse("value", at) end
  return word[2], at + #word[1]
end

local function read(text)
  local value, at = read_value(text, blanks(text, 1))
  if blanks(text, at) <= #text then refuse("end", at) end
  return value
end

-- Writing.

local quoted = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function quote(letter)
  return quoted[letter] or format("\\u%04x", byte(letter))
end

local function written_string(text)
  if find(text, '[%c"\\]') then text = text:gsub('[%c"\\]', quote) end
  return '"' .. text .. '"'
end

local write_value

local function write_list(list, out)
  out[#out + 1] = "["
  for i = 1, #list do
    if i > 1 then out[#out + 1] = "," end
    write_value(list[i], out)
  end
  out[#out + 1] = "]"
end

local function write_object(object, out)
  local names = object[order]
  out[#out + 1] = "{"
  for i = 1, #names do
    if i > 1 then out[#out + 1] = "," end
    out[#out + 1] = written_string(names[i])
    out[#out + 1] = ":"
    write_value(object[names[i]], out)
  end
  out[#out + 1] = "}"
end

function write_value(value, out)
  local kind = type(value)
  if value == null then
    out[#out + 1] = "null"
  elseif kind == "table" then
    if value[order] then write_object(value, out) else write_list(value, out) end
  elseif kind == "string" then
    out[#out + 1] = written_string(value)
  elseif kind == "number" then
    out[#out + 1] = value % 1 == 0 and format("%d", value) or format("%.14g", value)
  else
    out[#out + 1] = tostring(value)
  end
end

local function write(value)
  local out = {}
  write_value(value, out)
  return concat(out)
end

-- The program.

local function text(n)
  local orders = {}
  for id = 0, n - 1 do
    local mail = id % 3 == 0 and "null" or '"user' .. id .. '@example.org"'
    local vip = tostring(id % 2 == 0)
    local name = 'Ann \\"' .. id % 10 .. '\\" Bee'
    local customer = '{"name": "' .. name .. '", "mail": ' .. mail .. ', "vip": ' .. vip .. "}"
    local lines = {}
    for k = 1, 3 do
      lines[k] = '{"article": "tea \\u0026 milk ' .. k .. '", "pieces": ' .. id % 7 + k .. ', "price": ' .. id % 50 .. ".5}"
    end
    local rest = '"lines": [' .. concat(lines, ", ") .. '], "tags": ["new", "web"], "note": null'
    orders[id + 1] = '{"id": ' .. id .. ', "customer": ' .. customer .. ", " .. rest .. "}"
  end
  return "[" .. concat(orders, ",\n") .. "]"
end

local function change(orders)
  for _, one in ipairs(orders) do
    local sum = 0.0
    for _, line in ipairs(one.lines) do sum = sum + line.pieces * line.price end
    one.lines[1].pieces = one.lines[1].pieces + 1
    one.tags[#one.tags + 1] = "seen"
    if one.customer.vip then one.note = format("worth %d", floor(sum)) end
  end
end

local orders = read(text(n))
change(orders)
local written = write(orders)
local half = floor(#written / 2)
print(string.format("%d", #written))
print(sub(written, 1, 200))
print(sub(written, half + 1, half + 100))
