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
	times int

	strings, keys, lists, hashes, sets, others []form
}

func (g *generator) one(of ...string) string { return of[g.IntN(len(of))] }
func (g *generator) key() string             { return g.one("a", "b", "c", "d", "e") }
func (g *generator) word() string {
	return g.one("x", "y", "z", "", "10", "-3", "007", "9223372036854775807", "text", "1.5", "a b\r\nc")
}
func (g *generator) number() string {
	return g.one("0", "1", "2", "-1", "-2", "5", "-100", "100", "9223372036854775807", "-9223372036854775808", "x", "")
}

// seconds is another number each time: where time goes on, two equal ones would
// not be compared as equal.
func (g *generator) seconds() string {
	g.times++
	return strconv.Itoa(10_000 + g.times*7919%100_003)
}

// A form is a command and what makes its arguments.
type form struct {
	name string // after ~ if the order of the reply does not matter
	args func() []string
}

// request is the words of a request.
func (g *generator) request() (args []string, unordered bool) {
	forms := [][]form{g.strings, g.keys, g.lists, g.hashes, g.sets, g.others}[g.IntN(6)]
	f := forms[g.IntN(len(forms))]
	name, unordered := strings.CutPrefix(f.name, "~")
	return append([]string{name}, f.args()...), unordered
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	none := func() []string { return nil }
	key := func() []string { return []string{g.key()} }
	keys := func() []string { return some(g, 3, key) }
	// with is a key and what is made by each of the functions.
	with := func(fs ...func() string) func() []string {
		return func() (args []string) {
			args = key()
			for _, f := range fs {
				args = append(args, f())
			}
			return args
		}
	}
	// many is a key and some of what f makes.
	many := func(f func() []string) func() []string {
		return func() []string { return append(key(), some(g, 3, f)...) }
	}
	of := func(all ...string) func() string { return func() string { return g.one(all...) } }
	word := func() []string { return []string{g.word()} }
	pair := func() []string { return []string{g.word(), g.word()} }
	assignment := func() []string { return []string{g.key(), g.word()} }
	option := func() []string {
		return []string{g.one("NX", "XX", "GET", "KEEPTTL", "EX", "PX", "100", "foo", "nx", "0")}
	}
	g.strings = []form{
		{"SET", with(g.word)}, {"SET", func() []string { return append(assignment(), some(g, 3, option)...) }},
		{"GET", key}, {"MGET", keys}, {"MSET", func() []string { return some(g, 2, assignment) }}, {"MSET", many(word)},
		{"INCR", key}, {"DECR", key}, {"INCRBY", with(g.number)}, {"DECRBY", with(g.number)},
		{"APPEND", with(g.word)}, {"STRLEN", key}, {"GETRANGE", with(g.number, g.number)},
	}
	g.keys = []form{
		{"DEL", keys}, {"EXISTS", keys}, {"UNLINK", keys}, {"TYPE", key}, {"~TTL", key}, {"PERSIST", key},
		{"EXPIRE", with(of("-1", "0", "x"))}, {"EXPIRE", with(g.seconds)}, {"EXPIRE", with(g.seconds, of("NX", "XX", "GT", "LT", "foo"))},
		{"~KEYS", func() []string { return []string{g.one("*", "[a-c]", "?", "x*", "[^a]")} }}, {"DBSIZE", none},
		{"SELECT", func() []string { return []string{g.one("0", "1", "0", "16")} }},
	}
	g.lists = []form{
		{"LPUSH", many(word)}, {"RPUSH", many(word)}, {"LPOP", key}, {"RPOP", key}, {"LPOP", with(g.number)}, {"RPOP", with(g.number)},
		{"LLEN", key}, {"LINDEX", with(g.number)}, {"LRANGE", with(g.number, g.number)},
	}
	g.hashes = []form{
		{"HSET", many(pair)}, {"HSET", many(word)}, {"HGET", with(g.word)}, {"HDEL", many(word)}, {"HLEN", key}, {"HEXISTS", with(g.word)},
		{"HMGET", many(word)}, {"HINCRBY", with(g.word, g.number)}, {"~HKEYS", key}, {"~HVALS", key},
	}
	g.sets = []form{
		{"SADD", many(word)}, {"SREM", many(word)}, {"SISMEMBER", with(g.word)}, {"SCARD", key}, {"~SMEMBERS", key},
		{"~SINTER", keys}, {"~SUNION", keys}, {"SPOP", with(of("0", "x", "-1"))}, {"~SPOP", with(of("100"))},
	}
	g.others = []form{
		{"MULTI", none}, {"EXEC", none}, {"EXEC", none}, {"DISCARD", none}, {"WATCH", keys}, {"UNWATCH", none}, {"FLUSHDB", none},
		{"PING", none}, {"ECHO", word}, {"PUBLISH", pair}, {"Nosuch", keys}, {"GET", keys}, {"HSET", key},
	}
	return g
}

// some is what up to n calls of f make.
func some(g *generator, n int, f func() []string) (all []string) {
	for range 1 + g.IntN(n) {
		all = append(all, f()...)
	}
	return all
}

// TestDifferential has random conversations with a real server and with an engine.
// KV_SEED begins with another seed and KV_ROUNDS has more of them.
func TestDifferential(t *testing.T) {
	socket := startRedis(t)
	first, rounds := number("KV_SEED", 1), number("KV_ROUNDS", 20)
	for seed := first; seed < first+rounds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			dial(t, "unix", socket).do("FLUSHALL")
			e := newEngine(newClock().now, defaultLimits)
			err := differ(newGenerator(uint64(seed)), 2000,
				[]client{dial(t, "unix", socket), dial(t, "unix", socket)},
				[]client{connect(t, e), connect(t, e)})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// differ has the same clients of both ask the same so many times.
func differ(g *generator, times int, real, ours []client) error {
	queueing := make([]bool, len(ours))
	for i := range times {
		who := g.IntN(len(ours))
		args, unordered := g.request()
		if unordered && queueing[who] {
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
			return fmt.Errorf("request %d of client %d: %q\n got %q\nwant %q", i, who, args, got, want)
		}
		switch {
		case args[0] == "MULTI" && want == "+OK\r\n":
			queueing[who] = true
		case args[0] == "EXEC", args[0] == "DISCARD":
			queueing[who] = false
		}
	}
	return nil
}

func number(env string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return otherwise
}
