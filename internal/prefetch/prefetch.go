// Package prefetch has the processor load memory that will soon be needed,
// without waiting for it. Elsewhere than on amd64 and arm64 it does nothing.
package prefetch
