module github.com/asyncio-go/asyncio/examples/raftkv

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/asyncio-go/asyncio v0.0.0
	go.etcd.io/raft/v3 v3.7.0
	google.golang.org/protobuf v1.36.11
)

require golang.org/x/sys v0.50.0 // indirect

replace github.com/asyncio-go/asyncio => ../../
