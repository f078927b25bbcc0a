package replica_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
)

// alone runs a cluster of one node on a file, and asks it.
func alone(t *testing.T, path string, use func(ctx context.Context, k *replica.Client) error) error {
	_, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error {
		peers := []replica.Peer{{ID: 1, Addr: freeAddr(t)}}
		file := &replica.DiskFile{Path: path}
		defer file.Close()
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			defer g.Cancel()
			g.Go(func(ctx context.Context) error {
				return replica.Run(ctx, replica.Config{ID: 1, Peers: peers, File: file, Tick: 5 * time.Millisecond, SnapshotEvery: 8})
			})
			return asyncio.Timeout(ctx, 10*time.Second, func(ctx context.Context) error {
				k := &replica.Client{Addrs: []string{peers[0].Addr}, Session: 1, Patience: 100 * time.Millisecond}
				defer k.Close()
				return use(ctx, k)
			})
		})
	}))
	return err
}

func write(n int) func(ctx context.Context, k *replica.Client) error {
	return func(ctx context.Context, k *replica.Client) error {
		for i := range n {
			if _, err := k.Do(ctx, "append", "k", fmt.Sprint(i, ";")); err != nil {
				return err
			}
		}
		return nil
	}
}

func wantValue(t *testing.T, want string) func(ctx context.Context, k *replica.Client) error {
	return func(ctx context.Context, k *replica.Client) error {
		r, err := k.Do(ctx, "get", "k")
		if r.Value != want {
			t.Errorf("get: %q, want %q", r.Value, want)
		}
		return err
	}
}

// A crash may leave any part of the last write.
func TestJournal_TornTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raftkv")
	if err := alone(t, path, write(3)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"\x00", "\x00\x00\x00\x05\x01\x02\x03\x04hello", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\xff\xff\xff\xff\x00\x00\x00\x00e"} {
		if err := os.WriteFile(path, append(whole[:len(whole):len(whole)], tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := alone(t, path, wantValue(t, "0;1;2;")); err != nil {
			t.Errorf("tail %q: %v", tail, err)
		}
	}
}

// The file does not grow with the number of commands.
func TestJournal_Compacts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raftkv")
	put := func(ctx context.Context, k *replica.Client) error {
		for i := range 200 {
			if _, err := k.Do(ctx, "put", "k", fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := alone(t, path, put); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 2000 {
		t.Errorf("the file has %d bytes: %v", info.Size(), err)
	}
	if err := alone(t, path, wantValue(t, "199")); err != nil {
		t.Error(err)
	}
}

func TestJournal_NoFolder(t *testing.T) {
	err := alone(t, filepath.Join(t.TempDir(), "none", "raftkv"), write(1))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one that matches os.ErrNotExist", err)
	}
}
