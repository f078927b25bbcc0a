package loophttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Serve has server serve connections of listener until ctx is cancelled, and then
// ends it in the right order: no connection is accepted any more, the requests
// under way have the time grace to end, those left are broken off, which cancels
// their tasks. All that time the loop goes on. Serve is an await, and takes one of
// the places of Blocking.
//
// It returns nil if all requests ended in time, and otherwise an error that
// matches [context.DeadlineExceeded], or what ended the server early.
func Serve(ctx context.Context, server *http.Server, listener net.Listener, grace time.Duration) error {
	_, err := asyncio.Blocking(ctx, func(ctx context.Context) (struct{}, error) {
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()
		select {
		case err := <-ended:
			return struct{}{}, err
		case <-ctx.Done():
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		<-ended
		return struct{}{}, err
	})
	return err
}
