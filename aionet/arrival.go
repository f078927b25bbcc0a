//go:build !unix || asyncio_netonly

package aionet

import (
	"errors"

	"github.com/asyncio-go/asyncio"
)

var errNotHere = errors.New("not on this system's fallback network")

// An arrival is what a goroutine waits for in the place of the loop, one at a time.
type arrival[T any] struct {
	value   T
	err     error
	here    bool
	waiting bool
	call    func()
}

// take is what has arrived, or ErrWouldBlock.
func (a *arrival[T]) take() (v T, err error) {
	if !a.here {
		return v, ErrWouldBlock
	}
	v, err = a.value, a.err
	if err == nil { // an error stays
		var zero T
		a.value, a.here = zero, false
	}
	return v, err
}

// expect has call called once something has arrived, which wait waits for.
func (a *arrival[T]) expect(l *asyncio.Loop, call func(), wait func() (T, error)) {
	a.call = call
	switch {
	case a.here:
		l.CallSoon(a.tell)
	case !a.waiting:
		a.waiting = true
		l.Outside(func() func() {
			v, err := wait()
			return func() {
				a.value, a.err, a.here, a.waiting = v, err, true, false
				a.tell()
			}
		})
	}
}

func (a *arrival[T]) tell() {
	if call := a.call; call != nil {
		a.call = nil
		call()
	}
}
