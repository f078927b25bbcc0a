package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// redisTests are those of redis-benchmark, in an order in which lpop finds what
// lpush has left.
var redisTests = []string{"ping", "set", "get", "incr", "lpush", "lpop"}

// redis measures a server that speaks the protocol of Redis, with redis-benchmark.
func redis(o *options) error {
	command, port, err := withFreePort(o.command)
	if err != nil {
		return err
	}
	s, err := start(command, o.server)
	if err != nil {
		return err
	}
	defer s.kill()
	go func() {
		for range s.lines { // what it logs
		}
	}()
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	if err := awaitPong(addr); err != nil {
		return err
	}
	m := newMeter(s.pid, o.server)
	defer m.close()
	for _, test := range redisTests {
		if err := redisTest(o, m, addr, test); err != nil {
			return fmt.Errorf("%s: %w", test, err)
		}
	}
	return nil
}

// awaitPong waits until the server answers.
func awaitPong(addr string) error {
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := ping(addr)
		if err == nil {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("no server of Redis at %s: %w", addr, err)
		}
	}
}

func ping(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
		return err
	}
	reply, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && reply != "+PONG\r\n" {
		err = fmt.Errorf("it answers PING with %q", reply)
	}
	return err
}

func redisTest(o *options, m *meter, addr, test string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(ctx, "redis-benchmark", "-h", host, "-p", port, "-t", test, "-c", "50",
		"-n", strconv.Itoa(o.requests), "-P", strconv.Itoa(o.pipeline), "--csv")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out bytes.Buffer
	cmd.Stdout = &out
	if _, _, err := m.read(); err != nil {
		return err
	}
	began := time.Now()
	if err := pinned(o.client, cmd.Start); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("redis-benchmark: %w", err)
	}
	took := time.Since(began)
	used, user, err := m.read()
	if err != nil {
		return err
	}
	rates, err := parseRates(out.String())
	if err != nil {
		return err
	}
	n := o.requests * len(rates)
	printLine(fmt.Sprintf("Redis/pipeline=%d/test=%s", o.pipeline, test), o.peer, int64(n),
		metric{float64(used) / float64(n), "cpu-ns/op"},
		metric{float64(user) / float64(n), "user-ns/op"},
		metric{rates[len(rates)-1], "op/s"},
		metric{float64(used) / float64(took), "cores"})
	return nil
}

// parseRates returns the requests a second that redis-benchmark prints as CSV, of
// each kind of request: ping has two.
func parseRates(text string) (rates []float64, err error) {
	_, rows, found := strings.Cut(text, "\n")
	if !found || !strings.HasPrefix(text, `"test","rps"`) {
		return nil, fmt.Errorf("redis-benchmark prints %q", text)
	}
	records, err := csv.NewReader(strings.NewReader(rows)).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		rate, err := strconv.ParseFloat(record[1], 64)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	if len(rates) == 0 {
		return nil, errors.New("redis-benchmark has measured nothing")
	}
	return rates, nil
}
