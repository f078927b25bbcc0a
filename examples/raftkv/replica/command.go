package replica

import (
	"fmt"
	"strconv"
	"strings"
)

// A Command is what a client wants. It is a line of text, on the wire and in the log:
//
//	session id verb key arguments
//
// The ids of a session increase. One that comes again is a retry, and is answered as it
// was; session 0 is no session, and nothing of it is remembered.
type Command struct {
	Session, ID uint64
	Verb        string   // get, put, append, cas or cancel
	Args        []string // the key; a value; for cas the old value and the new one
}

// arguments are how many there are to a verb.
var arguments = map[string]int{"get": 1, "put": 2, "append": 2, "cas": 3, "cancel": 0}

// ParseCommand is the inverse of [Command.String].
func ParseCommand(line string) (c Command, err error) {
	words, err := split(line)
	if err != nil || len(words) < 3 {
		return c, fmt.Errorf("raftkv: %q is no request; send: session id verb key arguments", line)
	}
	c.Verb, c.Args = words[2], words[3:]
	if c.Session, err = strconv.ParseUint(words[0], 10, 64); err != nil {
		return c, fmt.Errorf("raftkv: session %q is no number", words[0])
	}
	if c.ID, err = strconv.ParseUint(words[1], 10, 64); err != nil {
		return c, fmt.Errorf("raftkv: id %q is no number", words[1])
	}
	if n, ok := arguments[c.Verb]; !ok || n != len(c.Args) {
		return c, fmt.Errorf("raftkv: no such request: %s of %d arguments", c.Verb, len(c.Args))
	}
	return c, nil
}

func (c Command) String() string {
	b := fmt.Appendf(nil, "%d %d %s", c.Session, c.ID, c.Verb)
	for _, arg := range c.Args {
		b = append(append(b, ' '), quote(arg)...)
	}
	return string(b)
}

// A Reply is a line as well: id status value.
type Reply struct {
	ID     uint64
	Status Status
	Value  string // what get found, what append has made, what cas found instead, where the leader is, or what is wrong
}

// A Status is the outcome of a command.
type Status string

// What a node answers.
const (
	Done      Status = "done"
	None      Status = "none"      // get: there is no such key
	Differs   Status = "differs"   // cas: the value is another
	Leader    Status = "leader"    // ask there
	Cancelled Status = "cancelled" // and it has no effect
	Unknown   Status = "unknown"   // cancelled, but it may have had, or get, its effect
	Stale     Status = "stale"     // the session has gone on
	Invalid   Status = "invalid"
)

func parseReply(line string) (r Reply, err error) {
	words, err := split(line)
	if err != nil || len(words) != 3 {
		return r, fmt.Errorf("raftkv: %q is no reply", line)
	}
	r.Status, r.Value = Status(words[1]), words[2]
	r.ID, err = strconv.ParseUint(words[0], 10, 64)
	return r, err
}

func (r Reply) String() string { return fmt.Sprintf("%d %s %s", r.ID, r.Status, quote(r.Value)) }

// quote leaves words alone that are plain.
func quote(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r > '~' }) {
		return strconv.Quote(s)
	}
	return s
}

// split is the words of a line, which may be quoted as in Go.
func split(line string) (words []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		word, rest, _ := strings.Cut(line, " ")
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, err
			}
			rest = line[len(quoted):]
			if word, err = strconv.Unquote(quoted); err != nil {
				return nil, err
			}
		}
		words, line = append(words, word), rest
	}
	return words, nil
}
