package aionet

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/list"
	"github.com/asyncio-go/asyncio/internal/socket"
)

// A Handler serves one connection, which is closed when it returns.
type Handler func(ctx context.Context, c *Conn) error

// A Server serves connections, each in a task of its own. Only Handler has to be set.
// It belongs to one loop, and may serve several listeners at once.
type Server struct {
	Handler Handler

	// TLS makes TLS of every connection; the handshake is made in the connection's
	// task, before the handler is called.
	TLS *tls.Config

	// HandshakeTimeout bounds the handshake of TLS. Zero means a minute, as in
	// asyncio, negative for ever.
	HandshakeTimeout time.Duration

	// MaxConns bounds how many connections are open at a time; others wait in the
	// system's queue. Zero is no bound.
	MaxConns int

	// Grace is how long handlers may go on once the server is to end, before they
	// are cancelled.
	Grace time.Duration

	count    int // open connections
	calls    list.List[serving]
	ended    asyncio.Event // a call of Serve has
	stopping bool          // Shutdown was called
}

// serving is one call of Serve.
type serving struct {
	*Server
	node     list.Node[serving]
	listener *Listener
	open     list.List[served]
	closed   asyncio.Event // a connection is
}

// served is a connection under a handler.
type served struct {
	node    list.Node[served]
	serving *serving
	conn    *Conn
}

// Serve serves the connections of l with handler until ctx is cancelled, or l is
// closed. See [Server.Serve].
func Serve(ctx context.Context, l *Listener, handler Handler) error {
	return (&Server{Handler: handler}).Serve(ctx, l)
}

// Serve accepts the connections of l and runs the handler for each in a task of its
// own. An error or a panic of the handler is reported to the loop's exception handler
// and ends that connection alone; that the other side has gone away is no error to
// report. When the process runs out of descriptors, that is reported, and Serve goes
// on a little later.
//
// When ctx is cancelled, l is closed, or Shutdown called, Serve closes l, lets the
// handlers go on for Grace, then cancels them, and aborts the connections of those
// that have not ended a second later. It returns when all have ended: with the
// cancellation, with nil after Shutdown or the close, or with what ended the listener.
func (s *Server) Serve(ctx context.Context, l *Listener) error {
	if s.Handler == nil {
		panic("aionet: Server.Serve: Handler is nil; set the function that serves a connection")
	}
	me := &serving{Server: s, listener: l}
	s.calls.PushBack(&me.node, me)
	defer func() {
		me.node.Remove()
		s.ended.Set()
	}()
	if s.stopping {
		return l.Close()
	}
	// The handlers outlive the cancellation of ctx by the grace.
	lasting, cancel := asyncio.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	return asyncio.Group(lasting, func(lasting context.Context, g *asyncio.TaskGroup) error {
		err := me.accept(ctx, g)
		if closed := l.Close(); err == nil {
			err = closed
		}
		me.windDown(lasting, cancel)
		return err
	})
}

// Shutdown has every Serve of s end, those that are called later at once, and waits
// until they have. Cancelling ctx ends the wait only.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping = true
	for each := range s.calls.All {
		_ = each.listener.Close()
	}
	for !s.calls.Empty() {
		s.ended.Clear()
		if err := s.ended.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// accept starts a task for every connection until the listener ends.
func (s *serving) accept(ctx context.Context, g *asyncio.TaskGroup) error {
	l := s.listener
	var pause backoff
	for {
		c, err := l.accept(ctx, s.hasRoom)
		switch {
		case err == nil:
			pause = 0
			s.start(g, c)
		case errors.Is(err, net.ErrClosed):
			return nil
		case socket.Exhausted(err):
			if pause == 0 {
				l.hub.loop.Report(asyncio.ExceptionContext{Message: "socket.accept() out of system resource", Err: err, Object: l.String()})
			}
			if err := asyncio.Sleep(ctx, pause.next()); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// A backoff is the time between tries to accept, which doubles up to a second.
type backoff time.Duration

func (b *backoff) next() time.Duration {
	*b = min(max(2**b, backoff(5*time.Millisecond)), backoff(time.Second))
	return time.Duration(*b)
}

// hasRoom reports whether one more connection may be open.
func (s *serving) hasRoom() bool { return s.MaxConns <= 0 || s.count < s.MaxConns }

// start serves c in a task of g. The frames below a handler are few and small: most
// connections wait for input, and their stacks are what they cost.
func (s *serving) start(g *asyncio.TaskGroup, c *Conn) {
	each := &served{serving: s, conn: c}
	s.open.PushBack(&each.node, each)
	s.count++
	g.Go(func(ctx context.Context) (err error) {
		defer each.end(ctx, &err)
		if each.serving.TLS != nil {
			if err := each.handshake(ctx); err != nil {
				return err
			}
		}
		return each.serving.Handler(ctx, each.conn)
	})
}

func (each *served) handshake(ctx context.Context) error {
	s := each.serving
	return withinTimeout(ctx, s.HandshakeTimeout, func(context.Context) error { return each.conn.AcceptTLS(s.TLS) })
}

// end is deferred below a handler, and recovers. It reports the handler's error, unless
// that is how connections end.
func (each *served) end(ctx context.Context, err *error) {
	s := each.serving
	if r := recover(); r != nil {
		if _, reported := r.(*asyncio.PanicError); !reported { // as that of another task
			s.report(each.conn, &asyncio.PanicError{Value: r, Stack: debug.Stack()})
		}
	} else if *err != nil && !isPeerGone(*err) && ctx.Err() == nil {
		s.report(each.conn, *err)
	}
	*err = nil // it is no error of the group
	_ = each.conn.Close()
	each.node.Remove()
	s.over()
}

// over tells those who wait that a connection is closed.
func (s *serving) over() {
	s.closed.Set()
	full := !s.hasRoom()
	s.count--
	for each := range s.calls.All {
		if full {
			each.listener.ready.Set()
		}
	}
}

func (s *Server) report(c *Conn, err error) {
	message := "Unhandled exception in connection handler"
	if s.TLS != nil && c.TLS() == nil {
		message = "TLS handshake of a connection failed"
	}
	c.link.hub.loop.Report(asyncio.ExceptionContext{
		Message: message, Err: err,
		Task: asyncio.CurrentTask(c.link.hub.ctx), Object: c.String()})
}

// abortAfter is how long handlers that were cancelled may hold on to their connections.
const abortAfter = time.Second

// windDown lets the handlers finish, cancels them, and aborts what they hold on to.
func (s *serving) windDown(ctx context.Context, cancel context.CancelCauseFunc) {
	if s.awaitNone(ctx, s.Grace) {
		return
	}
	cancel(errServerEnds)
	if s.awaitNone(context.WithoutCancel(ctx), abortAfter) {
		return
	}
	for each := range s.open.All {
		each.conn.Abort()
	}
}

var errServerEnds = errors.New("aionet: the server has been shut down")

// awaitNone waits until no connection is open, for at most d, and reports whether that
// is so.
func (s *serving) awaitNone(ctx context.Context, d time.Duration) bool {
	if !s.open.Empty() && d > 0 {
		_ = asyncio.Timeout(ctx, d, func(ctx context.Context) error {
			for !s.open.Empty() {
				s.closed.Clear()
				if err := s.closed.Wait(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return s.open.Empty()
}

// isPeerGone reports whether err is how a connection ends whose other side has left.
func isPeerGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || socket.PeerGone(err)
}
