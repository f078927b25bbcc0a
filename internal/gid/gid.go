// Package gid tells goroutines apart and names the line that called a
// function, both for about a nanosecond.
//
// Go gives a goroutine no identity on purpose, because programs would hang
// state on it. asyncio needs none of that, only an answer to "is this the
// goroutine that may touch the loop now?", and compares the word as an opaque
// number: it is never dereferenced, and a loop stops comparing with a word
// before the goroutine behind it ends.
package gid
