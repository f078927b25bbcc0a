// Package list is a doubly linked list whose nodes live inside the elements:
// joining and leaving a list allocates nothing, and leaving needs no search.
package list

// Node is an element's place in a list. It is embedded in the element, which
// Value points back to; a zero Node is in no list.
type Node[T any] struct {
	next, prev *Node[T]
	Value      *T
}

// Linked reports whether the node is in a list.
func (n *Node[T]) Linked() bool { return n.next != nil }

// Remove takes the node out of its list, if it is in one.
func (n *Node[T]) Remove() {
	if n.next == nil {
		return
	}
	n.prev.next, n.next.prev = n.next, n.prev
	n.next, n.prev = nil, nil
}

// List is a list of elements in the order in which they joined. Its zero
// value is empty and ready; it must not be copied.
type List[T any] struct{ root Node[T] }

// Empty reports whether the list has no element.
func (l *List[T]) Empty() bool { return l.root.next == nil || l.root.next == &l.root }

// PushBack appends the element v, whose node for this list is n. The node must
// be in no list.
func (l *List[T]) PushBack(n *Node[T], v *T) {
	if l.root.next == nil {
		l.root.next, l.root.prev = &l.root, &l.root
	}
	n.Value = v
	n.prev, n.next = l.root.prev, &l.root
	n.prev.next, l.root.prev = n, n
}

// Front is the oldest element, or nil.
func (l *List[T]) Front() *T {
	if l.Empty() {
		return nil
	}
	return l.root.next.Value
}

// All yields the elements in order. The element that was yielded last may leave
// the list, or join another, during the iteration; no other may leave it.
func (l *List[T]) All(yield func(*T) bool) {
	if l.Empty() {
		return
	}
	for n := l.root.next; n != &l.root; {
		next := n.next
		if !yield(n.Value) {
			return
		}
		n = next
	}
}
