package main

import (
	"fmt"
	"strings"
)

// A command is a row of the command table.
type command struct {
	name  string
	arity int // with the name; negative is at least
	mode  mode
	run   func(s *session, args [][]byte)
}

type mode uint8

const (
	subscribed mode = 1 << iota // allowed while there are subscriptions
	immediate                   // not queued by MULTI
	container                   // has subcommands, which have rows of their own
)

// commandTable is made by a function because its rows need it: EXEC executes.
func commandTable() map[string]*command {
	table := map[string]*command{}
	for _, c := range []command{
		{"ping", -1, subscribed, (*session).ping},
		{"echo", 2, 0, (*session).echo},
		{"quit", -1, subscribed | immediate, (*session).quit},
		{"reset", 1, subscribed | immediate, (*session).reset},
		{"select", 2, 0, (*session).selectDB},
		{"hello", -1, 0, (*session).hello},
		{"client", -2, container, nil},
		{"client|id", 2, 0, (*session).clientID},
		{"client|getname", 2, 0, (*session).clientName},
		{"client|setname", 3, 0, (*session).setClientName},
		{"client|setinfo", 4, 0, (*session).setClientInfo},
		{"command", -1, container, (*session).commandList},
		{"command|count", 2, 0, (*session).commandCount},
		{"command|docs", -2, 0, (*session).commandList},
		{"config", -2, container, nil},
		{"config|get", -3, 0, (*session).configGet},
		{"info", -1, 0, (*session).info},

		{"del", -2, 0, (*session).del},
		{"unlink", -2, 0, (*session).del},
		{"exists", -2, 0, (*session).exists},
		{"expire", -3, 0, (*session).expire},
		{"pexpire", -3, 0, (*session).pexpire},
		{"ttl", 2, 0, (*session).ttl},
		{"pttl", 2, 0, (*session).pttl},
		{"persist", 2, 0, (*session).persist},
		{"type", 2, 0, (*session).typeOf},
		{"keys", 2, 0, (*session).keys},
		{"scan", -2, 0, (*session).scan},
		{"dbsize", 1, 0, (*session).dbsize},
		{"flushdb", -1, 0, (*session).flushdb},
		{"flushall", -1, 0, (*session).flushall},

		{"get", 2, 0, (*session).get},
		{"set", -3, 0, (*session).set},
		{"mget", -2, 0, (*session).mget},
		{"mset", -3, 0, (*session).mset},
		{"append", -3, 0, (*session).append},
		{"strlen", 2, 0, (*session).strlen},
		{"getrange", 4, 0, (*session).getrange},
		{"incr", 2, 0, (*session).incr},
		{"decr", 2, 0, (*session).decr},
		{"incrby", 3, 0, (*session).incrby},
		{"decrby", 3, 0, (*session).decrby},

		{"lpush", -3, 0, (*session).lpush},
		{"rpush", -3, 0, (*session).rpush},
		{"lpop", -2, 0, (*session).lpop},
		{"rpop", -2, 0, (*session).rpop},
		{"llen", 2, 0, (*session).llen},
		{"lindex", 3, 0, (*session).lindex},
		{"lrange", 4, 0, (*session).lrange},
		{"blpop", -3, 0, (*session).blpop},
		{"brpop", -3, 0, (*session).brpop},

		{"hset", -4, 0, (*session).hset},
		{"hget", 3, 0, (*session).hget},
		{"hmget", -3, 0, (*session).hmget},
		{"hdel", -3, 0, (*session).hdel},
		{"hlen", 2, 0, (*session).hlen},
		{"hexists", 3, 0, (*session).hexists},
		{"hkeys", 2, 0, (*session).hkeys},
		{"hvals", 2, 0, (*session).hvals},
		{"hgetall", 2, 0, (*session).hgetall},
		{"hincrby", 4, 0, (*session).hincrby},

		{"sadd", -3, 0, (*session).sadd},
		{"srem", -3, 0, (*session).srem},
		{"smembers", 2, 0, (*session).smembers},
		{"sismember", 3, 0, (*session).sismember},
		{"scard", 2, 0, (*session).scard},
		{"sinter", -2, 0, (*session).sinter},
		{"sunion", -2, 0, (*session).sunion},
		{"spop", -2, 0, (*session).spop},

		{"subscribe", -2, subscribed, (*session).subscribe},
		{"unsubscribe", -1, subscribed, (*session).unsubscribe},
		{"psubscribe", -2, subscribed, (*session).psubscribe},
		{"punsubscribe", -1, subscribed, (*session).punsubscribe},
		{"publish", 3, 0, (*session).publish},

		{"multi", 1, immediate, (*session).multi},
		{"exec", 1, immediate, (*session).exec},
		{"discard", 1, immediate, (*session).discard},
		{"watch", -2, immediate, (*session).watch},
		{"unwatch", 1, 0, (*session).unwatch},
	} {
		table[c.name] = &c
	}
	return table
}

// execute executes a request and appends the reply to s.out, unless it has to
// wait: then s.waiting is set. It keeps nothing of args.
func (s *session) execute(args [][]byte) {
	s.stats.requests++
	c := s.lookup(args[0], nil)
	if c != nil && c.mode&container != 0 && len(args) > 1 {
		if c = s.lookup(args[0], args[1]); c == nil {
			s.reject(unknownSubcommand(args))
			return
		}
	}
	switch {
	case c == nil:
		s.reject(unknownCommand(args))
	case c.arity > 0 && len(args) != c.arity || len(args) < -c.arity:
		s.reject(wrongArity(c.name))
	case c.mode&subscribed == 0 && s.subs.count() > 0:
		s.reject(fmt.Sprintf("ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context", c.name))
	case s.tx.open && c.mode&immediate == 0:
		s.enqueue(c, args)
	default:
		c.run(s, args)
		if len(s.ready) > 0 {
			s.serveWaiters()
		}
	}
}

// lookup finds a command by its name, in whatever case, and that of a subcommand.
// It is called for every request and allocates nothing.
func (s *session) lookup(name, sub []byte) *command {
	var space [32]byte
	if len(name)+len(sub)+1 > len(space) {
		return nil
	}
	lower := appendLower(space[:0], name)
	if sub != nil {
		lower = appendLower(append(lower, '|'), sub)
	}
	return s.commands[string(lower)]
}

func appendLower(lower, name []byte) []byte {
	for _, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == '|':
			c = 0 // no name has it, but the table's keys do
		}
		lower = append(lower, c)
	}
	return lower
}

// reject answers a request that was not executed. A transaction that lacks one of
// its commands will not be executed either.
func (s *session) reject(message string) {
	s.tx.broken = s.tx.open
	s.out.error(message)
}

func wrongArity(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// unknownCommand quotes what was sent, but not all of it.
func unknownCommand(args [][]byte) string {
	const most = 128
	var b strings.Builder
	for _, arg := range args[1:] {
		if b.Len() >= most {
			break
		}
		fmt.Fprintf(&b, "'%s' ", cut(arg, most-b.Len()))
	}
	return fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", cut(args[0], most), b.String())
}

func unknownSubcommand(args [][]byte) string {
	return fmt.Sprintf("ERR unknown subcommand '%s'. Try %s HELP.", cut(args[1], 128), strings.ToUpper(string(args[0])))
}

func cut(b []byte, n int) []byte { return b[:min(n, len(b))] }

// find is the value of a key, or nil if there is none. If it is of another type
// the client is told.
func find[V value](s *session, key []byte) (v V, ok bool) {
	found := s.db.find(key)
	if found == nil {
		return v, true
	}
	if v, ok = found.(V); !ok {
		s.out.error(wrongType)
	}
	return v, ok
}

// is reports whether a word of a command is the given one, which is in lower
// case.
func is(arg []byte, word string) bool {
	return len(arg) == len(word) && strings.EqualFold(string(arg), word)
}
