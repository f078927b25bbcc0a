package main

// match reports whether s is what a pattern of KEYS, SCAN, CONFIG GET or
// PSUBSCRIBE describes: * is any text, ? any character, [a-z^] a character of a
// class, and \ makes the next one ordinary. After a mismatch only the last * is
// tried again, with one character more: those before it need no second try, and
// no pattern takes exponential time.
func match(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], s[i]); ok {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches c with what the pattern begins with, and returns the length of
// that.
func matchOne(pattern string, c byte) (n int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '[':
		return matchClass(pattern, c)
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, pattern[1] == c
	}
	return 1, pattern[0] == c
}

// matchClass takes a class that is not closed as closed at the pattern's end.
func matchClass(pattern string, c byte) (n int, ok bool) {
	i, in := 1, false
	not := i < len(pattern) && pattern[i] == '^'
	if not {
		i++
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		switch rest := pattern[i:]; {
		case rest[0] == '\\' && len(rest) > 1:
			i++
			in = in || rest[1] == c
		case len(rest) > 2 && rest[1] == '-':
			i += 2
			in = in || min(rest[0], rest[2]) <= c && c <= max(rest[0], rest[2])
		default:
			in = in || rest[0] == c
		}
	}
	return min(i+1, len(pattern)), in != not
}
