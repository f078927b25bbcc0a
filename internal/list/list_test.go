package list_test

import (
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio/internal/list"
)

type item struct {
	node list.Node[item]
	n    int
}

func values(l *list.List[item]) []int {
	var out []int
	for it := range l.All {
		out = append(out, it.n)
	}
	return out
}

func TestList_KeepsOrderOfJoining(t *testing.T) {
	var l list.List[item]
	if !l.Empty() || l.Front() != nil {
		t.Error("the zero List is not empty")
	}
	items := make([]item, 5)
	for i := range items {
		items[i].n = i
		l.PushBack(&items[i].node, &items[i])
	}
	items[2].node.Remove()
	items[2].node.Remove() // no list: nothing happens
	items[0].node.Remove()
	l.PushBack(&items[0].node, &items[0])
	if got, want := values(&l), []int{1, 3, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("list is %v, want %v", got, want)
	}
	if got := l.Front(); got != &items[1] {
		t.Errorf("Front() is item %d, want 1", got.n)
	}
	if items[2].node.Linked() || !items[0].node.Linked() {
		t.Error("Linked() is wrong after Remove and PushBack")
	}
}

func TestList_YieldedElementMayMoveToAnotherList(t *testing.T) {
	var from, to list.List[item]
	items := make([]item, 4)
	for i := range items {
		items[i].n = i
		from.PushBack(&items[i].node, &items[i])
	}
	for it := range from.All {
		it.node.Remove()
		to.PushBack(&it.node, it)
	}
	if !from.Empty() {
		t.Errorf("the first list still holds %v", values(&from))
	}
	if got, want := values(&to), []int{0, 1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("the second list is %v, want %v", got, want)
	}
}

func TestList_IterationMayStop(t *testing.T) {
	var l list.List[item]
	for range l.All {
		t.Error("an empty list yields")
	}
	items := make([]item, 3)
	for i := range items {
		l.PushBack(&items[i].node, &items[i])
	}
	n := 0
	for range l.All {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("yielded %d elements, want 2", n)
	}
}
