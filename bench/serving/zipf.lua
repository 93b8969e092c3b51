-- Reads that follow Zipf's law over a file of paths, one in 20 a verdict. PATHS and FINDINGS name the files.
local function lines(name)
    local all = {}
    for line in io.lines(os.getenv(name)) do all[#all + 1] = line end
    return all
end

local paths, findings = lines('PATHS'), lines('FINDINGS')
local sums, sum = {}, 0
for n = 1, #paths do
    sum = sum + 1 / n ^ 1.1
    sums[n] = sum
end

local function chosen()
    local wanted, low, high = math.random() * sum, 1, #sums
    while low < high do
        local middle = math.floor((low + high) / 2)
        if sums[middle] < wanted then low = middle + 1 else high = middle end
    end
    return paths[low]
end

local writes = tonumber(os.getenv('WRITES') or '0.05')
function init() math.randomseed(os.time()) end

function request()
    if math.random() < writes then
        local finding = findings[math.random(#findings)]
        local body = '{"verdict":"dismissed","reason":"bench","who":"bench"}'
        return wrk.format('POST', '/api/v1/findings/' .. finding .. '/verdict',
            {['content-type'] = 'application/json', host = '127.0.0.1'}, body)
    end
    return wrk.format('GET', chosen(), {['accept-encoding'] = 'br', host = '127.0.0.1'})
end

local refused = 0
function response(status) if status >= 500 then refused = refused + 1 end end
