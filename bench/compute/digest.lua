-- A buffer in base64 and back, and its SHA-256. Bits come from LuaJIT's library, or from the operators of Lua 5.3,
-- which Lua 5.1 cannot even read: so those functions are loaded from a text.
local n = tonumber(arg[1] or "200000")
local byte, char, concat, floor, format = string.byte, string.char, table.concat, math.floor, string.format

-- Base64.

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local letters, values = {}, {}
for i = 0, 63 do
  letters[i] = alphabet:sub(i + 1, i + 1)
  values[byte(alphabet, i + 1)] = i
end

local function encode(data)
  local out = {}
  for at = 1, #data, 3 do
    local a, b, c = byte(data, at, at + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    out[#out + 1] = letters[floor(bits / 262144)] .. letters[floor(bits / 4096) % 64]
      .. (b and letters[floor(bits / 64) % 64] or "=") .. (c and letters[bits % 64] or "=")
  end
  return concat(out)
end

local function decode(text)
  local out = {}
  for at = 1, #text, 4 do
    local a, b, c, d = byte(text, at, at + 3)
    local third, fourth = values[c], values[d]
    local bits = values[a] * 262144 + values[b] * 4096 + (third or 0) * 64 + (fourth or 0)
    local first, second, last = floor(bits / 65536), floor(bits / 256) % 256, bits % 256
    if fourth then
      out[#out + 1] = char(first, second, last)
    elseif third then
      out[#out + 1] = char(first, second)
    else
      out[#out + 1] = char(first)
    end
  end
  return concat(out)
end

-- SHA-256: one block of 64 bytes changes the eight numbers of the state.

local constants = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

local with_library = [[
local bit, byte, k, w = ...
local band, bnot, bxor, ror, rshift, tobit = bit.band, bit.bnot, bit.bxor, bit.ror, bit.rshift, bit.tobit
return function(data, at, h)
  for i = 1, 16 do
    local a, b, c, d = byte(data, at, at + 3)
    w[i] = tobit(a * 16777216 + b * 65536 + c * 256 + d)
    at = at + 4
  end
  for i = 17, 64 do
    local x, y = w[i - 15], w[i - 2]
    local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
  end
  local a, b, c, d, e, f, g, h8 = h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]
  for i = 1, 64 do
    local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
    local t1 = h8 + s1 + bxor(band(e, f), band(bnot(e), g)) + k[i] + w[i]
    local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
    local t2 = s0 + bxor(band(a, b), band(a, c), band(b, c))
    h8, g, f, e, d, c, b, a = g, f, e, tobit(d + t1), c, b, a, tobit(t1 + t2)
  end
  h[1], h[2], h[3], h[4] = tobit(h[1] + a), tobit(h[2] + b), tobit(h[3] + c), tobit(h[4] + d)
  h[5], h[6], h[7], h[8] = tobit(h[5] + e), tobit(h[6] + f), tobit(h[7] + g), tobit(h[8] + h8)
end
]]

local with_operators = [[
local _, byte, k, w = ...
return function(data, at, h)
  for i = 1, 16 do
    local a, b, c, d = byte(data, at, at + 3)
    w[i] = a << 24 | b << 16 | c << 8 | d
    at = at + 4
  end
  for i = 17, 64 do
    local x, y = w[i - 15], w[i - 2]
    local s0 = (x >> 7 | x << 25) ~ (x >> 18 | x << 14) ~ x >> 3
    local s1 = (y >> 17 | y << 15) ~ (y >> 19 | y << 13) ~ y >> 10
    w[i] = w[i - 16] + (s0 & 0xffffffff) + w[i - 7] + (s1 & 0xffffffff) & 0xffffffff
  end
  local a, b, c, d, e, f, g, h8 = h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]
  for i = 1, 64 do
    local s1 = (e >> 6 | e << 26) ~ (e >> 11 | e << 21) ~ (e >> 25 | e << 7)
    local t1 = h8 + (s1 & 0xffffffff) + (e & f ~ ~e & g) + k[i] + w[i]
    local s0 = (a >> 2 | a << 30) ~ (a >> 13 | a << 19) ~ (a >> 22 | a << 10)
    local t2 = (s0 & 0xffffffff) + (a & b ~ a & c ~ b & c)
    h8, g, f, e, d, c, b, a = g, f, e, d + t1 & 0xffffffff, c, b, a, t1 + t2 & 0xffffffff
  end
  h[1], h[2], h[3], h[4] = h[1] + a & 0xffffffff, h[2] + b & 0xffffffff, h[3] + c & 0xffffffff, h[4] + d & 0xffffffff
  h[5], h[6], h[7], h[8] = h[5] + e & 0xffffffff, h[6] + f & 0xffffffff, h[7] + g & 0xffffffff, h[8] + h8 & 0xffffffff
end
]]

local compile = loadstring or load
local add_block = assert(compile(bit and with_library or with_operators))(bit, byte, constants, {})

local function sha256(data)
  local length = #data * 8
  local ending = { "\128", ("\0"):rep((55 - #data) % 64), "\0\0\0" }
  for power = 4, 0, -1 do ending[#ending + 1] = char(floor(length / 256 ^ power) % 256) end
  data = data .. concat(ending)
  local state = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  }
  for at = 1, #data, 64 do add_block(data, at, state) end
  local out = {}
  for i = 1, 8 do out[i] = format("%08x", state[i] % 4294967296) end
  return concat(out)
end

local function buffer(n)
  local bytes = {}
  local seed = 42
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    bytes[i] = char(floor(seed / 256) % 256)
  end
  return concat(bytes)
end

local data = buffer(n)
local text = encode(data)
local back = decode(text)
print(string.format("%d %s %s %s", #text, text:sub(1, 4), tostring(back == data), sha256(back)))
