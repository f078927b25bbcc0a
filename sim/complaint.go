package sim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asyncio-go/asyncio"
)

// complaint is what a run has failed of, without what may differ between runs that fail of
// the same: the innermost error up to its first number or quotation.
func complaint(f *Failure) string {
	switch f.Kind {
	case KindDeadlock, KindSteps:
		return ""
	case KindAssertion:
		name, _, _ := strings.Cut(f.Err.Error(), `":`)
		return name
	}
	if pe, ok := errors.AsType[*asyncio.PanicError](f.Err); ok {
		if err, isErr := pe.Value.(error); isErr {
			return general(innermost(err).Error())
		}
		return general(fmt.Sprint(pe.Value))
	}
	return general(innermost(f.Err).Error())
}

// innermost is what err wraps, all the way; the first of several.
func innermost(err error) error {
	for {
		var inner error
		switch w := err.(type) {
		case interface{ Unwrap() error }:
			inner = w.Unwrap()
		case interface{ Unwrap() []error }:
			if all := w.Unwrap(); len(all) > 0 {
				inner = all[0]
			}
		}
		if inner == nil {
			return err
		}
		err = inner
	}
}

func general(text string) string {
	if i := strings.IndexAny(text, "0123456789\"'`[{"); i >= 0 {
		return text[:i]
	}
	return text
}
