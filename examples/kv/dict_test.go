package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// What is in a dict during a whole scan is seen by it, whatever comes and goes
// meanwhile.
func TestDict_ScanSeesWhatStays(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var d dict[int]
		stays := map[string]bool{}
		for i := range 100 {
			d.put(fmt.Sprint(i), i)
			stays[fmt.Sprint(i)] = true
		}
		seen := map[string]bool{}
		for cursor := uint64(0); ; {
			cursor = d.scan(cursor, 1+r.IntN(10), func(key string, _ int) { seen[key] = true })
			if cursor == 0 {
				break
			}
			for range r.IntN(8) {
				if k := fmt.Sprint(r.IntN(100)); r.IntN(2) == 0 {
					d.remove(k)
					delete(stays, k)
				} else {
					d.put("new "+k, 0)
				}
			}
		}
		for k := range stays {
			if !seen[k] {
				t.Fatalf("seed %d: %s was not seen", seed, k)
			}
		}
	}
}

func TestDict_IsAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	var d dict[int]
	model := map[string]int{}
	for i := range 20_000 {
		k := fmt.Sprint(r.IntN(500))
		_, known := model[k]
		if r.IntN(3) == 0 || i > 15_000 {
			if d.remove(k) != known {
				t.Fatalf("step %d: remove(%s) is not %v", i, k, known)
			}
			delete(model, k)
		} else {
			if d.put(k, i) == known {
				t.Fatalf("step %d: put(%s) is not %v", i, k, !known)
			}
			model[k] = i
		}
	}
	if d.len() != len(model) || len(d.index) != len(model) {
		t.Errorf("%d items, %d in the index, want %d", d.len(), len(d.index), len(model))
	}
	for k, want := range model {
		if v, ok := d.get([]byte(k)); !ok || v != want {
			t.Errorf("%s: %d %v, want %d", k, v, ok, want)
		}
	}
}

func TestDeque_IsASlice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	var d deque
	var model []string
	for i := range 50_000 {
		left := r.IntN(2) == 0
		grow := i%10_000 < 6000
		switch v := fmt.Sprint(i); {
		case len(model) == 0 || grow == (r.IntN(4) > 0):
			d.push(left, v)
			if left {
				model = slices.Insert(model, 0, v)
			} else {
				model = append(model, v)
			}
		case left:
			if got := d.pop(true); got != model[0] {
				t.Fatalf("step %d: %s, want %s", i, got, model[0])
			}
			model = model[1:]
		default:
			if got := d.pop(false); got != model[len(model)-1] {
				t.Fatalf("step %d: %s, want %s", i, got, model[len(model)-1])
			}
			model = model[:len(model)-1]
		}
		if d.len() != len(model) || len(model) > 0 && d.at(len(model)/2) != model[len(model)/2] {
			t.Fatalf("step %d: they differ", i)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*c", "abbc", true}, {"a*c", "abcb", false},
		{"a**b*", "ab", true}, {"?", "", false}, {"h?llo", "hallo", true}, {"[ab]c", "bc", true}, {"[ab]c", "cc", false},
		{"[^ab]c", "cc", true}, {"[^ab]c", "ac", false}, {"[a-c]", "b", true}, {"[c-a]", "b", true}, {"[a-c]", "d", false},
		{"[", "a", false}, {"[a", "a", true}, {"[]", "]", false}, {`[\]]`, "]", true}, {`\*`, "*", true}, {`\*`, "a", false},
		{`a\`, `a\`, true}, {"[^", "a", true}, {"*[0-9]", "ab7", true}, {"*[0-9]", "ab7x", false},
	} {
		if got := match(c.pattern, c.text); got != c.want {
			t.Errorf("match(%q, %q) is %v", c.pattern, c.text, got)
		}
	}
}
