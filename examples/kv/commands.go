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

// commandTable is made by functions because its rows need it: EXEC executes. Each file
// of commands has the rows of its own.
func commandTable() map[string]*command {
	table := map[string]*command{}
	for _, rows := range [][]command{
		connectionCommands(), keyCommands(), stringCommands(), listCommands(),
		hashCommands(), setCommands(), pubsubCommands(), transactionCommands(),
	} {
		for _, c := range rows {
			table[c.name] = &c
		}
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
