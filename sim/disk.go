package sim

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A Disk is the disk of a host: files in one directory, and a cache that a crash
// empties. What a program sees is the cache, at once; what is durable is
//
//   - the content of a file, once [File.Sync] has returned nil;
//   - the names, which Create, Rename and Remove change, once [Disk.SyncDir] has:
//     syncing a file makes no name durable.
//
// Of all else a crash keeps what the schedule draws. A write is kept, lost, or torn: of
// its sectors of 512 bytes only the first ones are kept; and the writes of a file reach
// the disk in any order. Changes of names are kept in order, as by a journal: up to one
// of them. The first seed, and each shrunk draw, loses nothing. So a program that is
// right here does not depend on what ext4 and xfs happen to do beyond what they promise.
// (Pillai et al., "All File Systems Are Not Created Equal: On the Complexity of Crafting
// Crash-Consistent Applications", OSDI 2014.)
//
// A sync fails now and then if the fault [FaultDisk] is on. After that nobody knows what
// became of the writes before it: they are still to be read, and a later sync that
// succeeds does not bring them to the disk, because the system takes them for written.
// Only writing them again does. ("PostgreSQL's fsync() surprise", LWN 2018, known as
// fsyncgate; Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC
// 2020.)
//
// Errors are those of package os: an [fs.PathError] around [fs.ErrNotExist],
// [fs.ErrClosed] or [syscall.EIO]. Disks and files belong to the run's loop. The world's
// tasks may use them too, also while the host is down.
type Disk struct {
	h       *Host
	names   map[string]*inode
	durable map[string]*inode
	journal []nameChange // of names, not of durable
	settled int          // changes that have left the journal
	crashes int
}

// A nameChange is a change of the directory.
type nameChange struct {
	from string // "" if it makes a file
	to   string // "" if it removes one
	in   *inode
}

func (c nameChange) apply(names map[string]*inode) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.to != "" {
		names[c.to] = c.in
	}
}

// Disk is the host's disk.
func (h *Host) Disk() *Disk { return &h.disk }

func (d *Disk) begin(h *Host) {
	d.h, d.names, d.durable = h, map[string]*inode{}, map[string]*inode{}
}

// Create makes a file, or empties the one that has the name, as os.Create does.
func (d *Disk) Create(name string) (*File, error) {
	if err := d.usable("open", name); err != nil {
		return nil, err
	}
	in := d.names[name]
	if in == nil {
		in = &inode{}
		d.change(nameChange{to: name, in: in})
	}
	in.truncate(0)
	return d.open(name, in), nil
}

// Open opens a file that exists, to read and to write.
func (d *Disk) Open(name string) (*File, error) {
	in, err := d.lookup("open", name)
	if err != nil {
		return nil, err
	}
	return d.open(name, in), nil
}

func (d *Disk) open(name string, in *inode) *File {
	return &File{d: d, name: name, in: in, opened: d.crashes}
}

// ReadFile is the content of a file.
func (d *Disk) ReadFile(name string) ([]byte, error) {
	in, err := d.lookup("read", name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(in.cache), nil
}

// List are the names of the files, sorted.
func (d *Disk) List() []string { return slices.Sorted(maps.Keys(d.names)) }

// Rename gives a file another name; a file that has it already loses it. That is atomic:
// no crash leaves both names, or none.
func (d *Disk) Rename(from, to string) error {
	in, err := d.lookup("rename", from)
	if err == nil && to == "" {
		err = &fs.PathError{Op: "rename", Path: to, Err: fs.ErrInvalid}
	}
	if err == nil && from != to {
		d.change(nameChange{from, to, in})
	}
	return err
}

// Remove takes a file's name. Who has opened the file can use it on.
func (d *Disk) Remove(name string) error {
	in, err := d.lookup("remove", name)
	if err == nil {
		d.change(nameChange{from: name, in: in})
	}
	return err
}

func (d *Disk) change(c nameChange) {
	c.apply(d.names)
	d.journal = append(d.journal, c)
}

// SyncDir makes durable what the names were when it was called. It takes as long as the
// schedule draws. If it fails, or is cancelled through ctx with an
// [asyncio.CancelledError], any part of that may be durable or not, and it can be called
// again.
func (d *Disk) SyncDir(ctx context.Context) error {
	if err := d.usable("sync", "."); err != nil {
		return err
	}
	until := d.settled + len(d.journal)
	if err := d.flush(ctx, "."); err != nil {
		return err
	}
	for d.settled < until { // another sync may have been faster
		d.journal[0].apply(d.durable)
		d.journal = d.journal[1:]
		d.settled++
	}
	return nil
}

// syncTimes are how long a sync may take.
var syncTimes = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond,
}

// flush is the wait of a sync, and whether it succeeds.
func (d *Disk) flush(ctx context.Context, name string) error {
	w := d.h.w
	if err := asyncio.Sleep(ctx, syncTimes[w.s.draw(len(syncTimes), "the time of a sync")]); err != nil {
		return err
	}
	if w.faults.on&FaultDisk != 0 && w.chance(10, "a sync that fails") {
		w.Logf("fault: %v: the sync of %s fails", d.h, name)
		return &fs.PathError{Op: "sync", Path: name, Err: syscall.EIO}
	}
	return nil
}

func (d *Disk) lookup(op, name string) (*inode, error) {
	if err := d.usable(op, name); err != nil {
		return nil, err
	}
	in := d.names[name]
	if in == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return in, nil
}

// usable refuses the deferred functions of tasks that a crash unwinds.
func (d *Disk) usable(op, name string) error {
	switch l := d.h.w.running(); {
	case l != nil && l.over:
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrClosed}
	case name == "":
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

// crash leaves what is durable, and draws the rest.
func (d *Disk) crash() {
	w := d.h.w
	d.crashes++
	kept := len(d.journal) - w.s.draw(len(d.journal)+1, "the names that a crash loses")
	if lost := len(d.journal) - kept; lost > 0 {
		w.Logf("%v: the crash undoes the last %d changes of names", d.h, lost)
	}
	for _, c := range d.journal[:kept] {
		c.apply(d.durable)
	}
	d.settled += len(d.journal)
	d.journal = nil
	d.names = maps.Clone(d.durable)
	for _, name := range d.List() {
		if n := d.names[name].crash(w); n > 0 {
			w.Logf("%v: the crash loses %d writes of %s", d.h, n, name)
		}
	}
}
