//go:build !asyncio_noasm

#include "textflag.h"

// func Current() uintptr
TEXT ·Current(SB), NOSPLIT|NOFRAME, $0-8
	MOVD g, ret+0(FP)
	RET

// func CallerPC() uintptr
//
// R29 points at the asking function's saved frame pointer; its return address
// lies one word above.
TEXT ·CallerPC(SB), NOSPLIT|NOFRAME, $0-8
	MOVD 8(R29), R0
	MOVD R0, ret+0(FP)
	RET
