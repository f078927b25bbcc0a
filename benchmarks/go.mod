module github.com/asyncio-go/asyncio/benchmarks

go 1.26

require github.com/asyncio-go/asyncio v0.0.0

replace github.com/asyncio-go/asyncio => ../
