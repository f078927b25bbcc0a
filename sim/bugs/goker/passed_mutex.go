package goker

import (
	"context"

	"github.com/asyncio-go/asyncio"
)

// A passedMutex is a sync.Mutex that is unlocked by others than who has locked it.
type passedMutex struct{ permit *asyncio.Semaphore }

func newPassedMutex() *passedMutex { return &passedMutex{asyncio.NewSemaphore(1)} }

// Lock waits until the mutex is free and takes it.
func (m *passedMutex) Lock(ctx context.Context) {
	step(ctx)
	must(m.permit.Acquire(ctx))
}

// Unlock gives the mutex to who has waited longest.
func (m *passedMutex) Unlock() { m.permit.Release() }
