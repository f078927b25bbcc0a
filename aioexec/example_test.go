//go:build unix

package aioexec_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
)

// A command that hangs is ended, with everything that it has started.
func ExampleCmd_Run() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		c := aioexec.Command("sh", "-c", "sleep 1000 & sleep 1000")
		err := asyncio.Timeout(ctx, 50*time.Millisecond, c.Run)
		fmt.Println(errors.Is(err, asyncio.ErrTimeout), c.ProcessState)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// true signal: terminated
	// <nil>
}

func ExampleCmd_Output() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		out, err := aioexec.Command("echo", "hello").Output(ctx)
		fmt.Printf("%q %v\n", out, err)

		_, err = aioexec.Command("sh", "-c", "echo no such thing >&2; exit 3").Output(ctx)
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			fmt.Printf("%v, %q\n", failed, failed.Stderr)
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// "hello\n" <nil>
	// exit status 3, "no such thing\n"
	// <nil>
}

func ExampleCmd_CombinedOutput() {
	out, err := asyncio.Run(context.Background(), func(ctx context.Context) ([]byte, error) {
		return aioexec.Command("sh", "-c", "echo out; echo err >&2").CombinedOutput(ctx)
	})
	fmt.Printf("%q %v\n", out, err)
	// Output: "out\nerr\n" <nil>
}

// Two commands at a time.
func ExampleCmd_Communicate() {
	count := func(text string) func(ctx context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			out, _, err := aioexec.Command("wc", "-c").Communicate(ctx, []byte(text))
			return strings.TrimSpace(string(out)), err
		}
	}
	counts, err := asyncio.Run(context.Background(), func(ctx context.Context) ([]string, error) {
		return asyncio.Gather(ctx, count("one"), count("seventeen"))
	})
	fmt.Println(counts, err)
	// Output: [3 9] <nil>
}

// A conversation with a program. It ends with the task's scope, if not before.
func ExampleCmd_Start() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		c := aioexec.Command("sh", "-c", "while read a b; do echo $((a + b)); done")
		in, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		out, err := c.StdoutPipe(ctx)
		if err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		for i := range 3 {
			fmt.Fprintln(in, i, i)
			sum, err := out.ReadLine()
			if err != nil {
				return err
			}
			fmt.Printf("%d + %d = %s\n", i, i, sum)
		}
		_ = in.Close() // the program sees the end of its input
		return c.Wait(ctx)
	}))
	fmt.Println(err)
	// Output:
	// 0 + 0 = 0
	// 1 + 1 = 2
	// 2 + 2 = 4
	// <nil>
}

func ExampleCmd_Close() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		c := aioexec.Command("sleep", "1000")
		if err := c.Start(ctx); err != nil {
			return err
		}
		c.Close(ctx)
		fmt.Println(c.ProcessState)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// signal: terminated
	// <nil>
}

func ExampleCommand() {
	c := aioexec.Command("no-such-program")
	_, err := asyncio.Run(context.Background(), asyncio.Void(c.Run))
	fmt.Println(err)
	fmt.Println(errors.Is(err, exec.ErrNotFound))
	// Output:
	// exec: "no-such-program": executable file not found in $PATH
	// true
}
