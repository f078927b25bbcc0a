package sim

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"syscall"
)

// A File is an open file of a [Disk]. A crash closes it: what it is asked then fails
// with [fs.ErrClosed].
type File struct {
	d      *Disk
	name   string
	in     *inode
	opened int // how many crashes there had been
	closed bool
}

var (
	_ io.WriteCloser = (*File)(nil)
	_ io.WriterAt    = (*File)(nil)
	_ io.ReaderAt    = (*File)(nil)
)

// Write appends p to the file.
func (f *File) Write(p []byte) (int, error) { return f.WriteAt(p, int64(len(f.in.cache))) }

// WriteAt writes p at off. A gap between the end of the file and off is read as zeros.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if err := f.usable("write", off); err != nil {
		return 0, err
	}
	if len(p) > 0 {
		f.in.write(p, int(off))
	}
	return len(p), nil
}

// ReadAt implements [io.ReaderAt].
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if err := f.usable("read", off); err != nil {
		return 0, err
	}
	n := 0
	if off < int64(len(f.in.cache)) {
		n = copy(p, f.in.cache[off:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size is how long the file is.
func (f *File) Size() int64 { return int64(len(f.in.cache)) }

// Truncate makes the file size bytes long; what it gains is zeros.
func (f *File) Truncate(size int64) error {
	err := f.usable("truncate", size)
	if err == nil {
		f.in.truncate(int(size))
	}
	return err
}

// Sync makes durable what was written to the file before it was called, by whomever. It
// takes as long as the schedule draws. Cancelling ctx ends it with an
// [asyncio.CancelledError], and it has done nothing then; [Disk] says what it means if it
// fails.
func (f *File) Sync(ctx context.Context) error {
	if err := f.usable("sync", 0); err != nil {
		return err
	}
	pending := slices.Clone(f.in.pending)
	err := f.d.flush(ctx, f.name)
	switch {
	case err == nil:
		f.in.settle(pending, written)
		return f.usable("sync", 0) // the host may have crashed meanwhile
	case errors.Is(err, syscall.EIO):
		f.in.settle(pending, adrift)
	}
	return err
}

// Close closes the file, and syncs nothing.
func (f *File) Close() error {
	err := f.usable("close", 0)
	f.closed = true
	return err
}

func (f *File) usable(op string, off int64) error {
	switch {
	case f.closed || f.opened != f.d.crashes:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	case off < 0:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrInvalid}
	}
	return f.d.usable(op, f.name)
}

// An inode is a file without its name.
type inode struct {
	cache   []byte   // what is read
	durable []byte   // what is on the disk for certain
	pending []*write // from the first that is not written; what lies between the two
}

// A write is a change of a file's content.
type write struct {
	off      int
	data     []byte // nil if the file is truncated, to off bytes
	progress progress
}

type progress uint8

const (
	dirty   progress = iota // in the cache
	written                 // on the disk
	adrift                  // taken for written, by mistake
)

func (in *inode) write(p []byte, off int) { in.do(&write{off: off, data: slices.Clone(p)}) }

func (in *inode) truncate(size int) {
	if size != len(in.cache) {
		in.do(&write{off: size})
	}
}

func (in *inode) do(x *write) {
	in.cache = x.apply(in.cache)
	in.pending = append(in.pending, x)
}

// apply is the content after the write.
func (x *write) apply(content []byte) []byte {
	if x.data == nil {
		return resized(content, x.off)
	}
	content = resized(content, max(len(content), x.off+len(x.data)))
	copy(content[x.off:], x.data)
	return content
}

// resized is content with so many bytes.
func resized(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size]
	}
	old := len(content)
	content = slices.Grow(content, size-old)[:size]
	clear(content[old:])
	return content
}

// settle notes what a sync has made of writes.
func (in *inode) settle(writes []*write, p progress) {
	for _, x := range writes {
		if x.progress == dirty {
			x.progress = p
		}
	}
	for len(in.pending) > 0 && in.pending[0].progress == written {
		in.durable = in.pending[0].apply(in.durable)
		in.pending = in.pending[1:]
	}
}

const sectorSize = 512

// crash makes the content what is left on the disk, and reports how many writes have
// lost something. A sector that a write leaves on the disk is as the cache had it after
// that write: with what earlier ones had made of it, though they be lost.
func (in *inode) crash(w *World) (lost int) {
	disk, cache := slices.Clone(in.durable), slices.Clone(in.durable)
	for _, x := range in.pending {
		cache = x.apply(cache)
		kept := x.sectors()
		if x.progress != written {
			kept = x.survives(w)
		}
		if kept < x.sectors() {
			lost++
		}
		disk = x.reach(disk, cache, kept)
	}
	in.durable, in.cache, in.pending = disk, slices.Clone(disk), nil
	return lost
}

// sectors is how many sectors a write touches; of a truncation it is 1, for the size.
func (x *write) sectors() int {
	if x.data == nil {
		return 1
	}
	return (x.off+len(x.data)-1)/sectorSize - x.off/sectorSize + 1
}

// survives draws how many sectors of a write a crash keeps.
func (x *write) survives(w *World) int {
	n := x.sectors()
	switch w.s.draw(min(n+1, 3), "the writes that a crash loses") {
	case 0:
		return n
	case 1:
		return 0
	}
	return n - 1 - w.s.draw(n-1, "where a crash tears a write")
}

// reach is the disk's content after the first so many sectors of a write have reached it.
func (x *write) reach(disk, cache []byte, sectors int) []byte {
	switch {
	case sectors == 0:
		return disk
	case x.data == nil:
		return resized(disk, x.off)
	}
	from := x.off / sectorSize * sectorSize
	to := min(from+sectors*sectorSize, len(cache))
	size := min(from+sectors*sectorSize, x.off+len(x.data))
	disk = resized(disk, max(len(disk), size))
	copy(disk[from:min(to, len(disk))], cache[from:to])
	return disk
}
