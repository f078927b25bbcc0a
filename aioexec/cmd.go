package aioexec

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// Command is the command that runs the named program with the given arguments. A
// name without a separator is looked up in PATH, as [exec.Command] does; that it is
// not found is an error of Start and the like.
func Command(name string, args ...string) *Cmd {
	x := exec.Command(name, args...)
	return &Cmd{Path: x.Path, Args: x.Args, Err: x.Err}
}

// A Cmd is a command that is being prepared, runs, or has ended. It is used once.
// Set its fields before it is started. It belongs to the loop on which it is
// started; Signal, Terminate and Kill may be called from any goroutine.
//
// A Cmd with nothing but a Path is ready to be started.
type Cmd struct {
	// Path is the program, and Args its arguments, the name it is called by first;
	// without Args that is Path.
	Path string
	Args []string

	// Env is the environment, "key=value" each; nil is that of this process. Dir is
	// the working directory; empty is that of this process.
	Env []string
	Dir string

	// Stdin is what the program reads. Nil is the null device. An *os.File is
	// handed to the program; from any other reader a task copies, until the reader
	// ends, the program no longer reads, or it has exited.
	Stdin io.Reader

	// Stdout and Stderr take what the program writes. Nil is the null device. An
	// *os.File is handed to the program; to any other writer a task copies. If both
	// are the same writer, one task does.
	//
	// Readers and writers are used on the loop: those that wait must do so by an
	// await, as connections of package aionet do. Package aioexec does not close them.
	Stdout io.Writer
	Stderr io.Writer

	// ExtraFiles are open in the program too, as descriptors 3 and up.
	ExtraFiles []*os.File

	// SysProcAttr are attributes of the system. The program is put into a process
	// group of its own, unless it is given a session or a group here.
	SysProcAttr *syscall.SysProcAttr

	// Grace is how long a command that is to end may take after SIGTERM, before it
	// gets SIGKILL. Zero is 5 s; if it is negative, SIGKILL comes at once.
	Grace time.Duration

	// WaitDelay is how long, after the program has exited, others that have
	// inherited its stdout or stderr may keep these open. Then they are closed, and
	// an otherwise successful command fails with [exec.ErrWaitDelay]. Zero is
	// 1 s; if it is negative there is no limit.
	WaitDelay time.Duration

	// Err is why the program was not found; Start returns it.
	Err error

	// ProcessState tells how the program has ended, once it has.
	ProcessState *os.ProcessState

	phase   phase
	files   []*os.File     // the program's ends of pipes, until it is started
	streams []*aionet.Conn // this side of StdinPipe and the like
	pumps   []*pump
	feeder  *pump // that of Stdin

	mu     sync.Mutex // guards the two below, and the reaping
	exec   *exec.Cmd
	reaped bool

	fd      *asyncio.FD   // the pidfd, where there is one
	gone    chan struct{} // else closed once the program was reaped
	ownPGID bool          // it leads a process group
	settled bool          // exited, and reaped
	waitErr error         // of the reaping: an *exec.ExitError, usually
	result  error         // what Wait returns

	task    *asyncio.Task[struct{}] // owns a command that was started
	started asyncio.Event           // or failed to be
	failed  error                   // why it was not
	over    asyncio.Event           // ended, and its output copied
	waited  asyncio.Event           // nobody wants the streams any more
}

// phase is how far a command has come.
type phase uint8

const (
	fresh phase = iota
	starting
	running
	ended
)

const (
	defaultGrace     = 5 * time.Second
	defaultWaitDelay = time.Second
)

// Run starts the command and waits until it has ended and what it wrote has been
// copied. The error is nil if the program exits with status 0, an [*exec.ExitError]
// if it ends otherwise, or says why it could not be started.
//
// When ctx is cancelled Run ends the command: it sends SIGTERM to the process group,
// and SIGKILL after [Cmd.Grace]. It returns the [asyncio.CancelledError] when the
// program is gone.
func (c *Cmd) Run(ctx context.Context) error {
	c.begin("Run")
	if err := c.launch(ctx); err != nil {
		return err
	}
	return c.supervise(ctx)
}

// Pid is the process id of a program that was started, and 0 before.
func (c *Cmd) Pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exec == nil || c.exec.Process == nil {
		return 0
	}
	return c.exec.Process.Pid
}

// String is the command line, for people to read.
func (c *Cmd) String() string {
	return (&exec.Cmd{Path: c.Path, Args: c.Args, Err: c.Err}).String()
}

// begin makes sure that the command is used once.
func (c *Cmd) begin(fn string) {
	c.mustBe(fresh, fn, "was started already; make another with Command")
	c.phase = starting
}

// mustBe panics if the command is not in the given phase.
func (c *Cmd) mustBe(p phase, fn, why string) {
	if c.phase != p {
		panic(fmt.Sprintf("aioexec: Cmd.%s: %s %s", fn, c.name(), why))
	}
}

// name is what tasks and errors call the command.
func (c *Cmd) name() string { return filepath.Base(c.Path) }
