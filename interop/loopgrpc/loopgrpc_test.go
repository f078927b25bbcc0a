package loopgrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/loopgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { check.Run(m) }

// A service counts without a lock: its handlers are tasks of one loop.
type service struct {
	pb.UnimplementedTestServiceServer
	calls    int
	patience time.Duration // of FullDuplexCall
	waits    chan struct{} // told when a handler waits
	stopped  chan error    // told how its wait ended
}

// UnaryCall answers with a body of the asked size; one of minus one waits for ever,
// and minus two panics.
func (s *service) UnaryCall(ctx context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	n := s.calls
	if err := asyncio.Yield(ctx); err != nil {
		return nil, err
	}
	s.calls++
	switch r.ResponseSize {
	case -1:
		return nil, s.wait(ctx)
	case -2:
		panic("no")
	case -3:
		return nil, status.Errorf(codes.NotFound, "not among %d", n)
	}
	return &pb.SimpleResponse{Payload: &pb.Payload{Body: make([]byte, r.ResponseSize)}}, nil
}

func (s *service) wait(ctx context.Context) error {
	s.waits <- struct{}{}
	err := asyncio.Sleep(ctx, time.Hour)
	s.stopped <- err
	return err
}

func (s *service) StreamingOutputCall(r *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	for _, p := range r.ResponseParameters {
		if p.Size < 0 {
			return s.wait(stream.Context())
		}
		s.calls++
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, p.Size)}}); err != nil {
			return err
		}
	}
	return nil
}

// FullDuplexCall echoes; a reader that waits too long is told so.
func (s *service) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	for {
		var m *pb.StreamingOutputCallRequest
		err := asyncio.Timeout(stream.Context(), s.patience, func(context.Context) (err error) {
			m, err = stream.Recv()
			return err
		})
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, asyncio.ErrTimeout):
			if _, again := stream.Recv(); again == nil {
				return errors.New("a message came after a Recv that was given up")
			}
			return status.Error(codes.DeadlineExceeded, "too slow")
		case err != nil:
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: m.Payload}); err != nil {
			return err
		}
	}
}

// A site is a server whose handlers run on a loop, and a client.
type site struct {
	*service
	pb.TestServiceClient
	loop      *asyncio.Loop
	log       *asynciotest.Log
	closeLoop func()
}

func newSite(t *testing.T) *site {
	t.Helper()
	loop, log, closeLoop := check.Loop(t)
	s := &site{service: &service{patience: time.Hour, waits: make(chan struct{}, 10), stopped: make(chan error, 10)},
		loop: loop, log: log, closeLoop: closeLoop}
	server := grpc.NewServer(grpc.UnaryInterceptor(loopgrpc.Unary(loop)), grpc.StreamInterceptor(loopgrpc.Stream(loop)))
	pb.RegisterTestServiceServer(server, s.service)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s.TestServiceClient = pb.NewTestServiceClient(conn)
	return s
}

// run runs main on a loop of the client's.
func run(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	if _, err := asyncio.Run(t.Context(), asyncio.Void(main)); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func wantCode(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %v %s", err, code, text)
	}
}

func TestUnary_HandlersAreTasksOfOneLoop(t *testing.T) {
	s := newSite(t)
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range 200 {
				g.Go(func(ctx context.Context) error {
					r, err := loopgrpc.Call(ctx, s.TestServiceClient.UnaryCall, &pb.SimpleRequest{ResponseSize: int32(i)})
					if err == nil && len(r.Payload.GetBody()) != i {
						t.Errorf("%d bytes came, want %d", len(r.Payload.GetBody()), i)
					}
					return err
				})
			}
			return nil
		})
	})
	s.closeLoop()
	if s.calls != 200 || s.log.Text() != "" {
		t.Errorf("%d calls were counted; logged: %s", s.calls, s.log.Text())
	}
}

func TestUnary_Fails(t *testing.T) {
	s := newSite(t)
	ask := func(size int32) error {
		_, err := s.TestServiceClient.UnaryCall(t.Context(), &pb.SimpleRequest{ResponseSize: size})
		return err
	}
	wantCode(t, ask(-3), codes.NotFound, "not among 0")
	wantCode(t, ask(-2), codes.Internal, "panicked")
	if !strings.Contains(s.log.Text(), "panicked: no") {
		t.Errorf("the panic is not reported: %s", s.log.Text())
	}
	run(t, func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, 20*time.Millisecond, func(ctx context.Context) error {
			_, err := loopgrpc.Call(ctx, s.TestServiceClient.UnaryCall, &pb.SimpleRequest{ResponseSize: -1})
			return err
		})
		wantCode(t, err, codes.DeadlineExceeded, "")
		return nil
	})
	go func() { <-s.waits; s.closeLoop() }()
	if len(s.waits) == 1 { // of the call before, if it had got so far
		<-s.waits
	}
	wantCode(t, ask(-1), codes.Unavailable, "shuts down")
	wantCode(t, ask(1), codes.Unavailable, "shuts down")
}

func sizes(n ...int32) *pb.StreamingOutputCallRequest {
	r := &pb.StreamingOutputCallRequest{}
	for _, n := range n {
		r.ResponseParameters = append(r.ResponseParameters, &pb.ResponseParameters{Size: n})
	}
	return r
}

func TestStream_Sends(t *testing.T) {
	s := newSite(t)
	run(t, func(ctx context.Context) error {
		stream, err := s.TestServiceClient.StreamingOutputCall(ctx, sizes(1, 100_000, 3)) // does not wait
		if err != nil {
			return err
		}
		var got []int
		for m, err := range loopgrpc.Messages(ctx, stream) {
			if err != nil {
				return err
			}
			got = append(got, len(m.Payload.Body))
		}
		if len(got) != 3 || got[1] != 100_000 {
			t.Errorf("got %v", got)
		}
		return nil
	})
}

// A client that does not read holds the handler up, and the loop goes on.
func TestStream_WaitsForASlowClient(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	many := make([]int32, 1000)
	for i := range many {
		many[i] = 10_000
	}
	stream, err := s.TestServiceClient.StreamingOutputCall(ctx, sizes(many...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	before := -1
	for sent := 0; sent != before; {
		before = sent
		time.Sleep(50 * time.Millisecond) // if it is too short, the test sees less
		sent, err = asyncio.Submit(s.loop, func(context.Context) (int, error) { return s.calls, nil }).Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if before > 500 {
		t.Errorf("%d messages of 10 kB were sent to a client that has read one", before)
	}
}

func TestStream_EchoesBothWays(t *testing.T) {
	s := newSite(t)
	stream, err := s.TestServiceClient.FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := stream.Send(&pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
		if m, err := stream.Recv(); err != nil || string(m.Payload.Body) != "x" {
			t.Fatal(m, err)
		}
	}
	stream.CloseSend()
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// A Recv that is given up ends that direction; the other can still be used.
func TestStream_RecvIsGivenUp(t *testing.T) {
	s := newSite(t)
	s.patience = 10 * time.Millisecond
	silent, err := s.TestServiceClient.FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = silent.Recv()
	wantCode(t, err, codes.DeadlineExceeded, "too slow")
}

func TestStream_IsCancelledByTheClient(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := s.TestServiceClient.StreamingOutputCall(ctx, sizes(1, -1))
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-s.waits; cancel() }()
	for err == nil {
		_, err = stream.Recv()
	}
	wantCode(t, err, codes.Canceled, "")
	if err := <-s.stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("the task: %v", err)
	}
}
