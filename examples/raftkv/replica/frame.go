package replica

import (
	"encoding/binary"

	"github.com/asyncio-go/asyncio/aionet"
)

// A frame is its length and a part of a message; the highest bit of the length says that
// more of the same message follows.
const (
	frameHead = 4
	frameMore = 1 << 31
)

// maxMessage bounds what a peer can make this node hold.
const maxMessage = 256 << 20

// cut makes frames of a message.
func cut(body []byte, size int) (frames [][]byte) {
	for {
		n := min(size, len(body))
		head := uint32(n)
		if n < len(body) {
			head |= frameMore
		}
		frames = append(frames, append(binary.BigEndian.AppendUint32(nil, head), body[:n]...))
		if body = body[n:]; len(body) == 0 {
			return frames
		}
	}
}

// readFrames reads a message, or the error that ended the connection.
func readFrames(conn *aionet.Conn) (body []byte, err error) {
	for {
		p, err := conn.Peek(frameHead)
		if err != nil {
			return nil, err
		}
		head := binary.BigEndian.Uint32(p)
		n := int(head &^ frameMore)
		if len(body)+n > maxMessage {
			return nil, &aionet.LimitError{Limit: maxMessage, Buffered: len(body)}
		}
		if p, err = conn.Peek(frameHead + n); err != nil { // more than the read limit is an error
			return nil, err
		}
		body = append(body, p[frameHead:frameHead+n]...)
		conn.Discard(frameHead + n)
		if head&frameMore == 0 {
			return body, nil
		}
	}
}
