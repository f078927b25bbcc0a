package replica

import (
	"encoding/binary"
	"hash/crc32"

	"google.golang.org/protobuf/proto"
)

// The kinds of records in a node's file.
const (
	recordStart    = 's' // an entry of which only the index counts: how often the node has started
	recordSnapshot = 'S'
	recordBase     = 'b' // an entry without data: the one before the first that is kept
	recordEntry    = 'e'
	recordHard     = 'h'
)

// appendRecord adds a record to p: its length, its checksum, its kind, its message.
func appendRecord(p []byte, kind byte, m proto.Message) ([]byte, error) {
	at := len(p)
	p = append(p, 0, 0, 0, 0, 0, 0, 0, 0, kind)
	p, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(p, m)
	if err != nil {
		return nil, err
	}
	body := p[at+8:]
	binary.BigEndian.PutUint32(p[at:], uint32(len(body)))
	binary.BigEndian.PutUint32(p[at+4:], crc32.ChecksumIEEE(body))
	return p, nil
}

// nextRecord takes a record off p. There is none where p ends or the checksum is wrong:
// that is how far writing had come, and nothing behind it was ever promised to anybody.
func nextRecord(p []byte) (kind byte, body, rest []byte) {
	if len(p) < 9 {
		return 0, nil, nil
	}
	n := binary.BigEndian.Uint32(p)
	if n == 0 || uint64(n) > uint64(len(p)-8) {
		return 0, nil, nil
	}
	body, rest = p[8:8+n], p[8+n:]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(p[4:]) {
		return 0, nil, nil
	}
	return body[0], body[1:], rest
}

// A record is one that is to be written.
type record struct {
	kind    byte
	message proto.Message
}
