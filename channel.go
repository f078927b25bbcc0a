package asyncio

import "context"

// Recv receives from a channel without blocking the loop; ok is false once the
// channel is closed. Cancelling ctx ends the wait with a [CancelledError], but
// a value that was taken from the channel by then is returned, never lost.
//
// A wait costs a goroutine, which ends with it. Between tasks of one loop a
// [Future] is cheaper.
func Recv[T any](ctx context.Context, ch <-chan T) (v T, ok bool, err error) {
	return receive(ctx, ch, "Recv")
}

func receive[T any](ctx context.Context, ch <-chan T, fn string) (v T, ok bool, err error) {
	a, err := newAwait(ctx, fn)
	if err != nil {
		return v, false, err
	}
	select {
	case v, ok = <-ch:
		return v, ok, nil
	default:
	}
	took := false
	err = a.exchange(fn, func(quit <-chan struct{}) func() {
		select {
		case got, open := <-ch:
			return func() { v, ok, took = got, open, true }
		case <-quit:
			return func() {}
		}
	})
	if took {
		err = nil
	}
	return v, ok, err
}

// Send sends v on a channel without blocking the loop. Cancelling ctx ends the
// wait with a [CancelledError], unless v was sent by then; so v was sent
// exactly if the error is nil. As in Go, sending on a closed channel panics.
//
// A wait costs a goroutine, as for [Recv].
func Send[T any](ctx context.Context, ch chan<- T, v T) error {
	a, err := newAwait(ctx, "Send")
	if err != nil {
		return err
	}
	select {
	case ch <- v:
		return nil
	default:
	}
	sent := false
	var panicked any
	err = a.exchange("Send", func(quit <-chan struct{}) (result func()) {
		defer func() {
			if r := recover(); r != nil { // the channel was closed meanwhile
				result = func() { panicked = r }
			}
		}()
		select {
		case ch <- v:
			return func() { sent = true }
		case <-quit:
			return func() {}
		}
	})
	if panicked != nil {
		panic(panicked)
	}
	if sent {
		err = nil
	}
	return err
}

// exchange runs f on a goroutine of its own, and what f returns on the loop.
// When the wait is cancelled it closes quit, at which f must return; it always
// waits for f, so that it is known whether f's operation has happened.
func (a await) exchange(on string, f func(quit <-chan struct{}) (result func())) error {
	t := a.t
	if t.scope.e.opts.Fence != nil {
		return t.scope.e.refuse(on+": a goroutine that waits for a channel", "a Queue")
	}
	quit := make(chan struct{})
	returned, waiting := false, true
	t.scope.e.outside(func() func() {
		result := f(quit)
		return func() {
			result()
			returned = true
			if waiting {
				t.wake()
			}
		}
	})
	cancelled := false
	defer func() {
		waiting = false
		if !returned && !cancelled { // unwound by force
			close(quit)
		}
	}()
	err := a.park(on)
	if !returned {
		cancelled = true
		close(quit)
		a.join(on)
	}
	return err
}
