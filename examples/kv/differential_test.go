package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A generator makes random requests, right ones and wrong ones, over few keys so
// that they meet.
type generator struct {
	*rand.Rand
	times *int
}

func (g generator) one(of ...string) string { return of[g.IntN(len(of))] }
func (g generator) key() string             { return g.one("a", "b", "c", "d", "e") }
func (g generator) word() string {
	return g.one("x", "y", "z", "", "10", "-3", "007", "9223372036854775807", "text", "1.5", "a b\r\nc")
}
func (g generator) number() string {
	return g.one("0", "1", "2", "-1", "-2", "5", "-100", "100", "9223372036854775807", "-9223372036854775808", "x", "")
}

// some is up to n of what f makes.
func (g generator) some(n int, f func() string) (all []string) {
	for range 1 + g.IntN(n) {
		all = append(all, f())
	}
	return all
}

// seconds is another number each time: where time goes on, two equal ones would
// not be compared as equal.
func (g generator) seconds() string {
	*g.times++
	return strconv.Itoa(10_000 + *g.times*7919%100_003)
}

func (g generator) pairs() string { return g.word() + "\n" + g.word() }

// request is the words of a request. A word with a line feed stands for two.
func (g generator) request() (args []string, unordered bool) {
	type form struct {
		name string
		args func() []string
	}
	key := func() []string { return []string{g.key()} }
	keys := func() []string { return g.some(3, g.key) }
	with := func(f ...func() string) func() []string {
		return func() (args []string) {
			args = key()
			for _, one := range f {
				args = append(args, one())
			}
			return args
		}
	}
	many := func(f func() string) func() []string {
		return func() []string { return append(key(), g.some(3, f)...) }
	}
	option := func() string { return g.one("NX", "XX", "GET", "KEEPTTL", "EX", "PX", "100", "foo", "nx", "0", "ex") }
	forms := []form{
		{"SET", with(g.word)}, {"SET", func() []string { return append([]string{g.key(), g.word()}, g.some(3, option)...) }},
		{"GET", key}, {"DEL", keys}, {"EXISTS", keys}, {"UNLINK", keys}, {"TYPE", key}, {"~TTL", key}, {"PERSIST", key},
		{"EXPIRE", with(func() string { return g.one("-1", "0", "x", g.seconds()) })},
		{"EXPIRE", with(g.seconds, func() string { return g.one("NX", "XX", "GT", "LT", "foo") })},
		{"INCR", key}, {"DECR", key}, {"INCRBY", with(g.number)}, {"DECRBY", with(g.number)},
		{"APPEND", with(g.word)}, {"STRLEN", key}, {"GETRANGE", with(g.number, g.number)}, {"MGET", keys},
		{"MSET", func() []string { return g.some(2, func() string { return g.key() + "\n" + g.word() }) }}, {"MSET", many(g.word)},
		{"LPUSH", many(g.word)}, {"RPUSH", many(g.word)}, {"LPOP", key}, {"RPOP", key},
		{"LPOP", with(g.number)}, {"RPOP", with(g.number)}, {"LLEN", key}, {"LINDEX", with(g.number)}, {"LRANGE", with(g.number, g.number)},
		{"HSET", many(g.pairs)}, {"HSET", many(g.word)}, {"HGET", with(g.word)}, {"HDEL", many(g.word)}, {"HLEN", key},
		{"HEXISTS", with(g.word)}, {"HMGET", many(g.word)}, {"HINCRBY", with(g.word, g.number)},
		{"~HKEYS", key}, {"~HVALS", key},
		{"SADD", many(g.word)}, {"SREM", many(g.word)}, {"SISMEMBER", with(g.word)}, {"SCARD", key},
		{"~SMEMBERS", key}, {"~SINTER", keys}, {"~SUNION", keys}, {"SPOP", with(func() string { return g.one("0", "x", "-1") })},
		{"~SPOP", with(func() string { return "100" })}, {"~KEYS", func() []string { return []string{g.one("*", "[a-c]", "?", "x*", "[^a]")} }},
		{"DBSIZE", func() []string { return nil }}, {"SELECT", func() []string { return []string{g.one("0", "1", "0", "16")} }},
		{"MULTI", func() []string { return nil }}, {"EXEC", func() []string { return nil }}, {"EXEC", func() []string { return nil }},
		{"DISCARD", func() []string { return nil }}, {"WATCH", keys}, {"UNWATCH", func() []string { return nil }},
		{"FLUSHDB", func() []string { return nil }}, {"PING", func() []string { return nil }}, {"ECHO", func() []string { return []string{g.word()} }},
		{"PUBLISH", func() []string { return []string{"channel", g.word()} }}, {"Nosuch", keys}, {"GET", keys}, {"HSET", key},
	}
	f := forms[g.IntN(len(forms))]
	name, unordered := strings.CutPrefix(f.name, "~")
	for _, a := range f.args() {
		if k, v, two := strings.Cut(a, "\n"); two && !strings.Contains(a, "\r") {
			args = append(args, k, v)
		} else {
			args = append(args, a)
		}
	}
	return append([]string{name}, args...), unordered
}

// TestDifferential has random conversations with a real server and with an engine.
// KV_SEED begins with another seed and KV_ROUNDS has more of them.
func TestDifferential(t *testing.T) {
	socket := startRedis(t)
	first, rounds := number("KV_SEED", 1), number("KV_ROUNDS", 20)
	for seed := first; seed < first+rounds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			g := generator{rand.New(rand.NewPCG(uint64(seed), 0)), new(int)}
			dial(t, "unix", socket).do("FLUSHALL")
			e := newEngine(newClock().now, defaultLimits)
			real := []client{dial(t, "unix", socket), dial(t, "unix", socket)}
			ours := []client{connect(t, e), connect(t, e)}
			inMulti := make([]bool, len(ours))
			for i := range 2000 {
				who := g.IntN(len(ours))
				args, unordered := g.request()
				if unordered && inMulti[who] {
					continue // in the reply to EXEC, it could not be told
				}
				real[who].send(args...)
				ours[who].send(args...)
				want, got := real[who].receive(), ours[who].receive()
				switch {
				case args[0] == "TTL" && want[:2] != ":-" && got[:2] != ":-":
					want, got = "", "" // time goes on there
				case unordered:
					want, got = sorted(want), sorted(got)
				}
				if want != got {
					t.Fatalf("request %d of client %d: %q\n got %q\nwant %q", i, who, args, got, want)
				}
				switch {
				case args[0] == "MULTI" && want == "+OK\r\n":
					inMulti[who] = true
				case args[0] == "EXEC", args[0] == "DISCARD":
					inMulti[who] = false
				}
			}
		})
	}
}

func number(env string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return otherwise
}
