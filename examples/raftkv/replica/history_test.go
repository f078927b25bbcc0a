package replica_test

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
)

// A history is what clients have asked and been told. Calls and returns are numbered as
// they happen.
type history struct {
	now        int64
	operations []porcupine.Operation
}

func (h *history) tick() int64 {
	h.now++
	return h.now
}

// add notes an operation that has returned. One of which nobody can say whether it has
// had its effect returns at the end of time.
func (h *history) add(client int, call int64, c replica.Command, r replica.Reply, err error) {
	op := porcupine.Operation{ClientId: client, Input: c, Call: call, Output: r, Return: h.tick()}
	if err != nil {
		op.Output, op.Return = nil, math.MaxInt64
	}
	h.operations = append(h.operations, op)
}

// linearizable reports whether there is an order of the operations, one at a time, that
// explains every reply.
func (h *history) linearizable() bool { return porcupine.CheckOperations(model, h.relevant()) }

// relevant leaves out what has no reply and whose text, which comes once, nobody has met.
// It may as well take its effect after all others. With it, the search would be endless.
func (h *history) relevant() []porcupine.Operation {
	var met strings.Builder
	for _, op := range h.operations {
		if r, ok := op.Output.(replica.Reply); ok {
			met.WriteString(r.Value)
		}
	}
	return slices.DeleteFunc(slices.Clone(h.operations), func(op porcupine.Operation) bool {
		args := op.Input.(replica.Command).Args
		return op.Output == nil && !strings.Contains(met.String(), args[len(args)-1])
	})
}

// value is the state of one key.
type value struct {
	text string
	is   bool
}

var seed = maphash.MakeSeed()

// model is the store as it would be on one machine, with one client.
var model = porcupine.Model{
	Partition: func(all []porcupine.Operation) (keys [][]porcupine.Operation) {
		at := map[string]int{}
		for _, op := range all {
			key := op.Input.(replica.Command).Args[0]
			i, ok := at[key]
			if !ok {
				i = len(keys)
				at[key], keys = i, append(keys, nil)
			}
			keys[i] = append(keys[i], op)
		}
		return keys
	},
	Init: func() any { return value{} },
	Hash: func(state any) uint64 { return maphash.String(seed, state.(value).text) },
	Step: func(state, input, output any) (bool, any) {
		v, c := state.(value), input.(replica.Command)
		want, next := answer(v, c)
		got, known := output.(replica.Reply)
		return !known || got.Status == want.Status && got.Value == want.Value, next
	},
}

func answer(v value, c replica.Command) (r replica.Reply, next value) {
	done := replica.Reply{Status: replica.Done}
	switch c.Verb {
	case "put":
		return done, value{c.Args[1], true}
	case "append":
		done.Value = v.text + c.Args[1]
		return done, value{done.Value, true}
	case "cas":
		if v.text != c.Args[1] {
			return replica.Reply{Status: replica.Differs, Value: v.text}, v
		}
		return done, value{c.Args[2], true}
	}
	if !v.is {
		return replica.Reply{Status: replica.None}, v
	}
	return replica.Reply{Status: replica.Done, Value: v.text}, v
}
