// Package loopgrpc runs the handlers of a gRPC server in tasks of a loop, whatever
// services it has: they share state without a lock.
//
//	server := grpc.NewServer(
//		grpc.UnaryInterceptor(loopgrpc.Unary(loop)),
//		grpc.StreamInterceptor(loopgrpc.Stream(loop)))
package loopgrpc

import (
	"context"
	"errors"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/call"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Unary has each handler run as a task of loop. Its ctx is the scope of the task,
// with the values of the call's: it is cancelled when the client gives up and when
// the loop shuts down, and that answers Unavailable. A panic is reported by the
// loop, and answers Internal.
func Unary(loop *asyncio.Loop) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		response, err := call.Task(ctx, loop, func(ctx context.Context) (any, error) { return handler(ctx, request) })
		return response, statusOf(ctx, err)
	}
}

// Stream is [Unary] for streams. In the handler, Send and Recv of the stream await,
// and obey the innermost scope of the task that calls them. One that is cancelled
// ends the stream for its direction.
func Stream(loop *asyncio.Loop) grpc.StreamServerInterceptor {
	return func(service any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		_, err := call.Task(s.Context(), loop, func(ctx context.Context) (any, error) {
			return nil, handler(service, &stream{ServerStream: s, ctx: ctx, loop: loop})
		})
		return statusOf(s.Context(), err)
	}
}

// statusOf is the answer to a call whose handler returned err.
func statusOf(ctx context.Context, err error) error {
	_, panicked := errors.AsType[*asyncio.PanicError](err)
	_, cancelled := errors.AsType[*asyncio.CancelledError](err)
	switch {
	case panicked:
		return status.Error(codes.Internal, "the handler panicked") // and not what with
	case errors.Is(err, asyncio.ErrLoopClosed):
		return status.Error(codes.Unavailable, "the server shuts down")
	case cancelled && ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	}
	return err
}

// A stream is the task's side of a stream.
type stream struct {
	grpc.ServerStream
	ctx                  context.Context
	loop                 *asyncio.Loop
	sendFails, recvFails error
}

// Context is the scope of the task.
func (s *stream) Context() context.Context { return s.ctx }

// SendMsg awaits, while the client does not keep up.
func (s *stream) SendMsg(m any) error {
	return s.await(&s.sendFails, func() error { return s.ServerStream.SendMsg(m) })
}

// RecvMsg awaits a message.
func (s *stream) RecvMsg(m any) error {
	return s.await(&s.recvFails, func() error { return s.ServerStream.RecvMsg(m) })
}

// await runs f on a goroutine, not in Blocking: streams may wait for hours, and
// would take its places. A cancellation leaves f behind; it ends with the stream,
// and until then nothing else may go in its direction.
func (s *stream) await(fails *error, f func() error) error {
	if *fails != nil {
		return *fails
	}
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	err, _, cancelled := asyncio.Recv(s.loop.Context(), ended)
	if cancelled != nil {
		*fails = cancelled
		return cancelled
	}
	return err
}
