package main

import (
	"bytes"
	"strings"
)

func connectionCommands() []command {
	return []command{
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
	}
}

// The commands about the connection itself.

func (s *session) ping(args [][]byte) {
	switch {
	case len(args) > 2:
		s.out.error(wrongArity("ping"))
	case s.subs.count() > 0: // like a message, for whoever reads nothing else
		s.out.array(2)
		s.out.text("pong")
		s.out.text(string(bytes.Join(args[1:], nil)))
	case len(args) == 2:
		s.out.bulk(args[1])
	default:
		s.out.simple("PONG")
	}
}

func (s *session) echo(args [][]byte) { s.out.bulk(args[1]) }

func (s *session) quit([][]byte) {
	s.closing = true
	s.out.ok()
}

func (s *session) reset([][]byte) {
	s.forget()
	s.out.simple("RESET")
}

func (s *session) selectDB(args [][]byte) {
	switch n, ok := s.integer(args[1]); {
	case !ok:
	case n < 0 || n >= databases:
		s.out.error("ERR DB index is out of range")
	default:
		s.db = s.dbs[n]
		s.out.ok()
	}
}

// hello is how a client asks for a version of the protocol. There is one; whoever
// asks for another falls back to it after the error.
func (s *session) hello(args [][]byte) {
	if len(args) > 1 {
		switch n, ok := parseInt(args[1]); {
		case !ok:
			s.out.error("ERR Protocol version is not an integer or out of range")
			return
		case n != 2:
			s.out.error("NOPROTO unsupported protocol version")
			return
		case len(args) == 4 && is(args[2], "setname"):
			if !s.rename(args[3]) {
				return
			}
		case len(args) > 2:
			s.out.error("ERR Syntax error in HELLO option '" + string(args[2]) + "'")
			return
		}
	}
	s.out.array(14)
	for _, pair := range [][2]string{{"server", "redis"}, {"version", version}, {"mode", "standalone"}, {"role", "master"}} {
		s.out.text(pair[0])
		s.out.text(pair[1])
	}
	s.out.text("proto")
	s.out.int(2)
	s.out.text("id")
	s.out.int(s.id)
	s.out.text("modules")
	s.out.array(0)
}

func (s *session) clientID([][]byte) { s.out.int(s.id) }

func (s *session) clientName([][]byte) {
	if s.name == "" {
		s.out.null()
	} else {
		s.out.text(s.name)
	}
}

func (s *session) setClientName(args [][]byte) {
	if s.rename(args[2]) {
		s.out.ok()
	}
}

// rename gives the session a name, if that is one.
func (s *session) rename(name []byte) bool {
	if strings.ContainsFunc(string(name), func(r rune) bool { return r < '!' || r > '~' }) {
		s.out.error("ERR Client names cannot contain spaces, newlines or special characters.")
		return false
	}
	s.name = string(name)
	return true
}

// setClientInfo takes note of a library's name and version, for which nobody asks
// here.
func (s *session) setClientInfo([][]byte) { s.out.ok() }
