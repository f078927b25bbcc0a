package replica

import "encoding/json"

// A machine is the state that the nodes replicate: applying the same commands in the
// same order, all of them come to the same.
type machine struct {
	Values   map[string]string
	Sessions map[uint64]Reply // the last reply of each; without it a retry would count twice
}

func newMachine() *machine {
	return &machine{Values: map[string]string{}, Sessions: map[uint64]Reply{}}
}

// apply does what a command of the log says, unless it was done before.
func (m *machine) apply(c Command, f fault) Reply {
	last := m.Sessions[c.Session]
	switch {
	case c.Session == 0 || c.ID > last.ID || f == retriesTwice:
		r := m.do(c)
		if c.Session != 0 {
			m.Sessions[c.Session] = r
		}
		return r
	case c.ID == last.ID:
		return last
	}
	return Reply{ID: c.ID, Status: Stale}
}

func (m *machine) do(c Command) Reply {
	key := c.Args[0]
	switch c.Verb {
	case "put":
		m.Values[key] = c.Args[1]
	case "append":
		m.Values[key] += c.Args[1]
		return Reply{ID: c.ID, Status: Done, Value: m.Values[key]}
	case "cas":
		if is := m.Values[key]; is != c.Args[1] {
			return Reply{ID: c.ID, Status: Differs, Value: is}
		}
		m.Values[key] = c.Args[2]
	default:
		return m.get(c)
	}
	return Reply{ID: c.ID, Status: Done}
}

// get reads, and changes nothing.
func (m *machine) get(c Command) Reply {
	if v, ok := m.Values[c.Args[0]]; ok {
		return Reply{ID: c.ID, Status: Done, Value: v}
	}
	return Reply{ID: c.ID, Status: None}
}

// save is the machine as bytes, the same ones for the same state: JSON sorts the keys.
func (m *machine) save(f fault) ([]byte, error) {
	if f == dropsSessions {
		return json.Marshal(&machine{Values: m.Values})
	}
	return json.Marshal(m)
}

func loadMachine(data []byte) (*machine, error) {
	m := newMachine()
	if len(data) == 0 {
		return m, nil
	}
	err := json.Unmarshal(data, m)
	if m.Sessions == nil {
		m.Sessions = map[uint64]Reply{}
	}
	return m, err
}
