package replica_test

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
)

func TestCommand_RoundTrip(t *testing.T) {
	for _, args := range [][]string{
		{"k", "v"}, {"", ""}, {"a b", "c\nd"}, {`"`, `\`}, {"ключ", "\x00\xff"},
	} {
		c := replica.Command{Session: 1, ID: 2, Verb: "put", Args: args}
		got, err := replica.ParseCommand(c.String())
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %v, %v", c, got, err)
		}
	}
}

func TestCommand_Refused(t *testing.T) {
	for _, line := range []string{"", "get k", "0 1", "0 1 get", "0 1 get k v", "x 1 get k", "0 -1 get k", "0 1 flush", `0 1 get "k`} {
		if c, err := replica.ParseCommand(line); err == nil {
			t.Errorf("%q: %v, want an error", line, c)
		}
	}
}

// What a person types is answered, line by line.
func TestNode_Lines(t *testing.T) {
	err := alone(t, filepath.Join(t.TempDir(), "raftkv"), func(ctx context.Context, k *replica.Client) error {
		if _, err := k.Do(ctx, "get", "up"); err != nil {
			return err
		}
		conn, err := aionet.Dial(ctx, "tcp", k.Addrs[0])
		if err != nil {
			return err
		}
		defer conn.Close()
		for _, each := range [][2]string{
			{"0 1 append k x", `1 done x`},
			{"0 2 get k", `2 done x`},
			{"0 3 get none", `3 none ""`},
			{"0 4 cas k y z", `4 differs x`},
			{"7 5 append k y", `5 done xy`},
			{"7 5 append k y", `5 done xy`}, // a retry
			{"7 4 append k y", `4 stale ""`},
			{"nonsense", `0 invalid "raftkv: \"nonsense\" is no request; send: session id verb key arguments"`},
		} {
			conn.Enqueue([]byte(each[0] + "\n"))
			line, err := conn.ReadLine()
			if err != nil {
				return err
			}
			if string(line) != each[1] {
				t.Errorf("%s: %s, want %s", each[0], line, each[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A request that is cancelled while there is no leader has no effect, and says so.
func TestNode_CancelledAtOnce(t *testing.T) {
	_, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error {
		peers := []replica.Peer{{ID: 1, Addr: freeAddr(t)}, {ID: 2, Addr: freeAddr(t)}} // of which there is one
		node := asyncio.Go(ctx, func(ctx context.Context) error {
			file := &replica.DiskFile{Path: filepath.Join(t.TempDir(), "raftkv")}
			defer file.Close()
			return replica.Run(ctx, replica.Config{ID: 1, Peers: peers, File: file, Tick: 5 * time.Millisecond})
		})
		defer node.Cancel(nil)
		var conn *aionet.Conn
		for { // until it listens
			var err error
			if conn, err = aionet.Dial(ctx, "tcp", peers[0].Addr); err == nil {
				break
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		defer conn.Abort()
		conn.Enqueue([]byte("0 1 put k v\n0 1 cancel\n"))
		line, err := conn.ReadLine()
		if string(line) != `1 cancelled ""` {
			t.Errorf("reply: %s", line)
		}
		return err
	}))
	if err != nil {
		t.Error(err)
	}
}
