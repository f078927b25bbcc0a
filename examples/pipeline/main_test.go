package main

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

// Under no schedule does an answer go to the wrong caller.
func TestPipeline_AnswersUnderAnySchedule(t *testing.T) {
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		answered, err := try(ctx, time.Duration(w.Draw(15))*time.Millisecond, w.Draw(5))
		sim.Sometimes(ctx, answered < callers, "a request is cancelled")
		sim.Sometimes(ctx, answered == callers, "all are answered")
		return err
	}, sim.Options{Seeds: 500})
}
