package loopgrpc

import (
	"context"
	"io"
	"iter"

	"github.com/asyncio-go/asyncio"
	"google.golang.org/grpc"
)

// Call makes a unary call, a method of a generated client, from a task: for example
// Call(ctx, client.UnaryCall, request). A cancellation of ctx ends the call.
func Call[Q, R any](ctx context.Context, method func(ctx context.Context, request *Q, o ...grpc.CallOption) (*R, error), request *Q) (*R, error) {
	return asyncio.Blocking(ctx, func(ctx context.Context) (*R, error) { return method(ctx, request) })
}

// Messages are those of a stream that a client receives, until its end. They are
// received no faster than they are taken. An error is in the last pair. Who breaks
// out of it cancels the ctx with which the stream was made.
func Messages[R any](ctx context.Context, stream interface{ Recv() (*R, error) }) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for {
			m, err := asyncio.Blocking(ctx, func(context.Context) (*R, error) { return stream.Recv() })
			if err == io.EOF || !yield(m, err) || err != nil {
				return
			}
		}
	}
}
