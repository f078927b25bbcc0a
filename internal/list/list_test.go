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

func TestList_MayChangeWhileItIsRangedOver(t *testing.T) {
	var l list.List[item]
	items := make([]item, 4)
	for i := range items {
		items[i].n = i
	}
	l.PushBack(&items[0].node, &items[0])
	l.PushBack(&items[1].node, &items[1])
	var got []int
	for it := range l.All {
		got = append(got, it.n)
		it.node.Remove()
		if it.n < 2 {
			l.PushBack(&items[it.n+2].node, &items[it.n+2])
		}
	}
	if want := []int{0, 1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("ranged over %v, want %v", got, want)
	}
	if !l.Empty() {
		t.Errorf("list still holds %v", values(&l))
	}
}
