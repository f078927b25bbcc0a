package main

import (
	"math"
	"slices"
)

func pubsubCommands() []command {
	return []command{
		{"subscribe", -2, subscribed, (*session).subscribe},
		{"unsubscribe", -1, subscribed, (*session).unsubscribe},
		{"psubscribe", -2, subscribed, (*session).psubscribe},
		{"punsubscribe", -1, subscribed, (*session).punsubscribe},
		{"publish", 3, 0, (*session).publish},
	}
}

// subscriptions are those of a session, in order.
type subscriptions struct {
	channels dict[struct{}]
	patterns dict[struct{}]
}

func (u *subscriptions) count() int { return u.channels.len() + u.patterns.len() }

// A subscription is one to all channels that match a pattern.
type subscription struct {
	pattern string
	session *session
}

func (s *session) subscribe(args [][]byte) {
	for _, arg := range args[1:] {
		channel := string(arg)
		if s.subs.channels.put(channel, struct{}{}) {
			s.channels[channel] = append(s.channels[channel], s)
		}
		s.subscribed("subscribe", channel)
	}
}

func (s *session) psubscribe(args [][]byte) {
	for _, arg := range args[1:] {
		pattern := string(arg)
		if s.subs.patterns.put(pattern, struct{}{}) {
			s.patterns = append(s.patterns, subscription{pattern, s})
		}
		s.subscribed("psubscribe", pattern)
	}
}

func (s *session) unsubscribe(args [][]byte) {
	s.leave("unsubscribe", args[1:], &s.subs.channels, s.leaveChannel)
}

func (s *session) punsubscribe(args [][]byte) {
	s.leave("punsubscribe", args[1:], &s.subs.patterns, s.leavePattern)
}

// leave ends the named subscriptions, or all if none are named.
func (s *session) leave(verb string, names [][]byte, all *dict[struct{}], leave func(name string)) {
	if len(names) == 0 && all.len() == 0 {
		s.out.array(3)
		s.out.text(verb)
		s.out.null()
		s.out.int(s.subs.count())
		return
	}
	if len(names) == 0 {
		for _, it := range all.items {
			names = append(names, []byte(it.key))
		}
	}
	for _, name := range names {
		leave(string(name))
		s.subscribed(verb, string(name))
	}
}

func (s *session) leaveChannel(channel string) {
	if s.subs.channels.remove(channel) {
		without(s.channels, channel, s)
	}
}

func (s *session) leavePattern(pattern string) {
	if s.subs.patterns.remove(pattern) {
		i := slices.Index(s.patterns, subscription{pattern, s})
		s.patterns = slices.Delete(s.patterns, i, i+1)
	}
}

func (s *session) unsubscribeAll() {
	for s.subs.channels.len() > 0 {
		s.leaveChannel(s.subs.channels.items[0].key)
	}
	for s.subs.patterns.len() > 0 {
		s.leavePattern(s.subs.patterns.items[0].key)
	}
}

func (s *session) subscribed(verb, name string) {
	s.out.array(3)
	s.out.text(verb)
	s.out.text(name)
	s.out.int(s.subs.count())
}

func (s *session) publish(args [][]byte) {
	message := reply{max: math.MaxInt}
	channel := string(args[1])
	receivers := slices.Clone(s.channels[channel]) // deliver may remove some
	if len(receivers) > 0 {
		message.array(3)
		message.text("message")
		message.bulk(args[1])
		message.bulk(args[2])
	}
	for _, to := range receivers {
		s.deliver(to, message.buf)
	}
	n := len(receivers)
	for _, sub := range slices.Clone(s.patterns) {
		if !match(sub.pattern, channel) {
			continue
		}
		n++
		message.buf = message.buf[:0]
		message.array(4)
		message.text("pmessage")
		message.text(sub.pattern)
		message.bulk(args[1])
		message.bulk(args[2])
		s.deliver(sub.session, message.buf)
	}
	s.out.int(n)
}

// deliver sends a message to a session. One that has too much unread is
// disconnected: the alternatives are to wait for it, which would let it stop
// whoever publishes, and to keep everything.
func (s *session) deliver(to *session, message []byte) {
	if to == s {
		s.out.buf = append(s.out.buf, message...) // in EXEC, between other replies
		return
	}
	to.peer.Enqueue(message)
	if to.peer.Unsent() > s.unsent {
		to.unsubscribeAll()
		to.peer.Abort()
	}
}
