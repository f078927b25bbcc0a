package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/ledger"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) { check.Run(m) }

// run gives main a database with two accounts, conns connections, and a loop with
// few places of Blocking.
func run(t *testing.T, conns int, main func(ctx context.Context, db *ledger.DB) error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	sqlite, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	defer sqlite.Close()
	r := &asyncio.Runner{Options: asyncio.LoopOptions{MaxBlocking: 3}}
	err = r.Run(t.Context(), func(ctx context.Context) error {
		db := ledger.New(sqlite, conns)
		_, err := ledger.Query(ctx, db, func(ctx context.Context, db *sql.DB) (sql.Result, error) {
			return db.ExecContext(ctx, "create table account (name text primary key, amount int); "+
				"insert into account values ('a', 100), ('b', 0)")
		})
		if err != nil {
			return err
		}
		return main(ctx, db)
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

func wantBalance(ctx context.Context, t *testing.T, db *ledger.DB, name string, want int) {
	t.Helper()
	if got, err := db.Balance(ctx, name); got != want || err != nil {
		t.Errorf("%s has %d, %v, want %d", name, got, err, want)
	}
}

func approved(context.Context) error { return nil }

// Many more transactions than connections and places of Blocking.
func TestDB_TransactionsOfManyTasks(t *testing.T) {
	run(t, 1, func(ctx context.Context, db *ledger.DB) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 50 {
				g.Go(func(ctx context.Context) error { return db.Transfer(ctx, "a", "b", 1, asyncio.Yield) })
			}
			return nil
		})
		wantBalance(ctx, t, db, "a", 50)
		wantBalance(ctx, t, db, "b", 50)
		return err
	})
}

// A transaction is held over awaits; what others do meanwhile does not see it.
func TestDB_TransactionOverAwaits(t *testing.T) {
	run(t, 2, func(ctx context.Context, db *ledger.DB) error {
		return db.Transfer(ctx, "a", "b", 30, func(ctx context.Context) error {
			wantBalance(ctx, t, db, "a", 100) // over the other connection
			return asyncio.Sleep(ctx, time.Millisecond)
		})
	})
}

func TestDB_RollsBack(t *testing.T) {
	run(t, 1, func(ctx context.Context, db *ledger.DB) error {
		refused := errors.New("refused")
		err := db.Transfer(ctx, "a", "b", 30, func(ctx context.Context) error { return refused })
		if !errors.Is(err, refused) {
			t.Errorf("Transfer: %v", err)
		}
		wantBalance(ctx, t, db, "a", 100)
		err = asyncio.Timeout(ctx, time.Millisecond, func(ctx context.Context) error {
			return db.Transfer(ctx, "a", "b", 30, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Transfer: %v", err)
		}
		wantBalance(ctx, t, db, "a", 100)
		func() {
			defer func() { _ = recover() }()
			_ = db.Transfer(ctx, "a", "b", 30, func(ctx context.Context) error { panic("no") })
		}()
		wantBalance(ctx, t, db, "a", 100)
		return db.Transfer(ctx, "a", "b", 30, approved)
	})
}

// A query that would take for ever is interrupted, and its connection is free.
func TestDB_LongQueryIsCancelled(t *testing.T) {
	run(t, 1, func(ctx context.Context, db *ledger.DB) error {
		turns := 0
		ticking := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				turns++
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
		})
		defer ticking.Cancel(nil)
		err := asyncio.Timeout(ctx, 50*time.Millisecond, func(ctx context.Context) error {
			_, err := ledger.Query(ctx, db, func(ctx context.Context, db *sql.DB) (n int, err error) {
				err = db.QueryRowContext(ctx, "with recursive c(x) as (select 1 union all select x+1 from c) select max(x) from c").Scan(&n)
				return n, err
			})
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Query: %v", err)
		}
		if turns < 2 {
			t.Error("the loop stood still")
		}
		wantBalance(ctx, t, db, "a", 100)
		return nil
	})
}
