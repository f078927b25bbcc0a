package prefetch_test

import (
	"testing"

	"github.com/asyncio-go/asyncio/internal/prefetch"
)

func TestLines_AnyAddressWillDo(t *testing.T) {
	for _, p := range []uintptr{0, 1, ^uintptr(0), 1 << 63} {
		prefetch.Lines(p) // would end the process if it were more than a hint
	}
}
