//go:build !(amd64 || arm64) || asyncio_noasm

package gid

import "runtime"

// Current is the calling goroutine's identity: its number, read from the head
// of its own stack trace, "goroutine 7 [running]:". About a microsecond.
func Current() uintptr {
	var buf [32]byte
	n := runtime.Stack(buf[:], false)
	var id uintptr
	for _, c := range buf[len("goroutine "):n] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uintptr(c-'0')
	}
	return id
}

// CallerPC is the return address of the function that calls it: a place in
// the caller's caller. The function that asks must not be inlined.
func CallerPC() uintptr {
	var pc [1]uintptr
	runtime.Callers(3, pc[:])
	return pc[0]
}
