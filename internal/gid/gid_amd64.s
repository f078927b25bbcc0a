//go:build !asyncio_noasm

#include "textflag.h"

// func Current() uintptr
TEXT ·Current(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET

// func CallerPC() uintptr
//
// Go keeps frame pointers: BP is the asking function's frame, and its return
// address lies one word above the saved BP.
TEXT ·CallerPC(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ 8(BP), AX
	MOVQ AX, ret+0(FP)
	RET
