// Package list is a doubly linked list whose nodes live inside the elements:
// joining and leaving a list allocates nothing, and leaving needs no search.
package list

import "unsafe"

// Node is an element's place in a list. It is embedded in the element; a zero
// Node is in no list.
type Node[T any] struct {
	links // first, so that a pointer to it is one to the Node
	value *T
}

// links join the nodes of a list and its root in a ring. The root has no
// value, and elements carry several lists: the words count.
type links struct{ next, prev *links }

// Linked reports whether the node is in a list.
func (n *Node[T]) Linked() bool { return n.next != nil }

// Remove takes the node out of its list, if it is in one.
func (n *Node[T]) Remove() {
	if n.next == nil {
		return
	}
	n.prev.next, n.next.prev = n.next, n.prev
	n.next, n.prev, n.value = nil, nil, nil // or the node keeps its element alive
}

// List is a list of elements in the order in which they joined. Its zero
// value is empty and ready; it must not be copied.
type List[T any] struct{ root links }

// Empty reports whether the list has no element.
func (l *List[T]) Empty() bool { return l.root.next == nil || l.root.next == &l.root }

// PushBack appends the element v, whose node for this list is n. The node must
// be in no list.
func (l *List[T]) PushBack(n *Node[T], v *T) {
	if l.root.next == nil {
		l.root.next, l.root.prev = &l.root, &l.root
	}
	n.value = v
	n.prev, n.next = l.root.prev, &l.root
	n.prev.next, l.root.prev = &n.links, &n.links
}

// Front is the oldest element, or nil.
func (l *List[T]) Front() *T {
	if l.Empty() {
		return nil
	}
	return value[T](l.root.next)
}

// All yields the elements in order. The element that was yielded last may leave
// the list, or join another, during the iteration; no other may leave it.
func (l *List[T]) All(yield func(*T) bool) {
	if l.Empty() {
		return
	}
	for n := l.root.next; n != &l.root; {
		next := n.next
		if !yield(value[T](n)) {
			return
		}
		n = next
	}
}

// value is the element of links that are not the root's.
func value[T any](l *links) *T { return (*Node[T])(unsafe.Pointer(l)).value }
