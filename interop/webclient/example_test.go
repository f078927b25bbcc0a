package webclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/webclient"
)

// download counts the bytes of a page, with 5 s for all of it.
func download(ctx context.Context, c *webclient.Client, url string) (size int, err error) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, err
	}
	err = asyncio.Timeout(ctx, 5*time.Second, func(ctx context.Context) error {
		return c.Do(ctx, r, func(ctx context.Context, r *http.Response) error {
			for part, err := range webclient.Chunks(ctx, r.Body, 64<<10) {
				if err != nil {
					return err
				}
				size += len(part)
			}
			return nil
		})
	})
	return size, err
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello")
	}))
	defer server.Close()
	size, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		c := webclient.New(server.Client(), 8)
		return download(ctx, c, server.URL)
	})
	fmt.Println(size, err)
	// Output: 5 <nil>
}
