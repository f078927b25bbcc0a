package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long anything may take that is not measured.
const patience = 20 * time.Second

// A server is a process that is measured.
type server struct {
	cmd   *exec.Cmd
	pid   int
	lines chan string // of its standard output
}

// start starts command on cores. It must run on the main thread: the child dies
// when the thread ends that started it.
func start(command []string, c cores) (*server, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := pinned(c, cmd.Start); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, pid: cmd.Process.Pid, lines: make(chan string, 100)}
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	return s, nil
}

// kill ends the server and waits for its end.
func (s *server) kill() {
	s.cmd.Process.Kill()
	for range s.lines { // until the pipe is closed, before which Wait must not be called
	}
	s.cmd.Wait()
}

// line returns what the server prints next.
func (s *server) line() (string, error) {
	select {
	case text, ok := <-s.lines:
		if !ok {
			return "", fmt.Errorf("%s has ended", s.cmd.Path)
		}
		return text, nil
	case <-time.After(patience):
		return "", fmt.Errorf("%s prints nothing", s.cmd.Path)
	}
}

// addr returns the address that the server prints.
func (s *server) addr() (netip.AddrPort, error) {
	text, err := s.line()
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := netip.ParseAddrPort(text)
	if err == nil && !addr.Addr().Is4() {
		err = fmt.Errorf("%s listens on %v, which is not IPv4", s.cmd.Path, addr)
	}
	return addr, err
}

// settle has the server give back the memory that it does not use.
func (s *server) settle() error {
	if err := s.cmd.Process.Signal(unix.SIGUSR1); err != nil {
		return err
	}
	text, err := s.line()
	if err == nil && text != "settled" {
		err = fmt.Errorf("%s says %q instead of settled", s.cmd.Path, text)
	}
	return err
}

// withFreePort replaces {port} in command by a port that is free.
func withFreePort(command []string) (changed []string, port int, err error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	defer l.Close()
	port = l.Addr().(*net.TCPAddr).Port
	for _, arg := range command {
		changed = append(changed, strings.ReplaceAll(arg, "{port}", fmt.Sprint(port)))
	}
	return changed, port, nil
}
