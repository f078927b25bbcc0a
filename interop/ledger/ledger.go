// Package ledger keeps accounts in a database/sql database, SQLite here, for the
// tasks of a loop.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
)

// A DB is a database whose connections are handed out on the loop. It belongs to
// one loop.
//
// Tasks wait for a connection here and not inside of database/sql: a call that
// waits there takes a place of Blocking, and once those that wait have taken all
// of them, those that have a connection cannot go on.
type DB struct {
	sql   *sql.DB
	conns *asyncio.Semaphore
}

// New is db with at most conns connections.
func New(db *sql.DB, conns int) *DB {
	db.SetMaxOpenConns(conns)
	return &DB{sql: db, conns: asyncio.NewSemaphore(conns)}
}

// Query runs f, which blocks, with a connection, off the loop. It awaits; ctx
// also ends the query, if f passes it on.
func Query[T any](ctx context.Context, db *DB, f func(ctx context.Context, db *sql.DB) (v T, err error)) (v T, err error) {
	err = db.conns.Do(ctx, func(ctx context.Context) error {
		v, err = asyncio.Blocking(ctx, func(ctx context.Context) (T, error) { return f(ctx, db.sql) })
		return err
	})
	return v, err
}

// InTx runs f in a transaction, which f may hold over any awaits: it commits it
// if f returns nil, and otherwise rolls it back, also if ctx is cancelled.
func (db *DB) InTx(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	return db.conns.Do(ctx, func(ctx context.Context) (err error) {
		tx, err := asyncio.Blocking(ctx, func(ctx context.Context) (*sql.Tx, error) { return db.sql.BeginTx(ctx, nil) })
		if err != nil {
			return err
		}
		defer func() { // also if f panics
			cleanup := context.WithoutCancel(ctx)
			_, rollback := asyncio.Blocking(cleanup, func(context.Context) (int, error) { return 0, tx.Rollback() })
			if !errors.Is(rollback, sql.ErrTxDone) {
				err = errors.Join(err, rollback)
			}
		}()
		if err := f(ctx, &Tx{tx}); err != nil {
			return err
		}
		_, err = asyncio.Blocking(ctx, func(context.Context) (int, error) { return 0, tx.Commit() })
		return err
	})
}

// A Tx is a transaction in a task. One statement at a time may run in it.
type Tx struct{ sql *sql.Tx }

// Exec is [sql.Tx.ExecContext] as an await.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return asyncio.Blocking(ctx, func(ctx context.Context) (sql.Result, error) {
		return tx.sql.ExecContext(ctx, query, args...)
	})
}

// Transfer moves an amount between accounts if approve, which may await, says so.
func (db *DB) Transfer(ctx context.Context, from, to string, amount int, approve func(ctx context.Context) error) error {
	return db.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.Exec(ctx, "update account set amount = amount - ? where name = ?", amount, from); err != nil {
			return err
		}
		if err := approve(ctx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update account set amount = amount + ? where name = ?", amount, to)
		return err
	})
}

// Balance is the amount of an account.
func (db *DB) Balance(ctx context.Context, name string) (int, error) {
	return Query(ctx, db, func(ctx context.Context, db *sql.DB) (n int, err error) {
		err = db.QueryRowContext(ctx, "select amount from account where name = ?", name).Scan(&n)
		if err != nil {
			return 0, fmt.Errorf("ledger: balance of %s: %w", name, err)
		}
		return n, nil
	})
}
