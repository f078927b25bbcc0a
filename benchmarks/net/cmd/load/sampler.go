package main

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sampler finds out which part of its time a process spends in user mode. The
// kernel's own account looks once a tick, 250 times a second, which is too
// coarse for what matters most here. A sampler looks 2,000 times, which costs
// every server the same part of its time.
type sampler struct {
	pid   uint32
	rings []ring // one a core
}

// period is no divisor of a tick, so that the two do not go in step.
const period = 499 * time.Microsecond

// pages are those of a ring after its head; a minute of samples fits.
const pages = 1024

// A ring is a perf event that writes samples to memory.
type ring struct {
	fd   int
	mem  []byte
	tail uint64
}

func newSampler(pid int, c cores) (*sampler, error) {
	s := &sampler{pid: uint32(pid)}
	for _, core := range c {
		r, err := openRing(core)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("samples of core %d: %w", core, err)
		}
		s.rings = append(s.rings, r)
	}
	return s, nil
}

func openRing(core int) (ring, error) {
	fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{
		Type:        unix.PERF_TYPE_SOFTWARE,
		Config:      unix.PERF_COUNT_SW_CPU_CLOCK,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample:      uint64(period),
		Sample_type: unix.PERF_SAMPLE_TID,
	}, -1, core, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return ring{}, err
	}
	size := (1 + pages) * unix.Getpagesize()
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		unix.Close(fd)
		return ring{}, err
	}
	return ring{fd: fd, mem: mem}, nil
}

func (s *sampler) close() {
	for _, r := range s.rings {
		unix.Munmap(r.mem)
		unix.Close(r.fd)
	}
}

// userShare returns which part of the samples since the last call was in user
// mode.
func (s *sampler) userShare() float64 {
	var user, all float64
	for i := range s.rings {
		s.rings[i].each(func(mode uint16, pid uint32) {
			if pid != s.pid {
				return
			}
			all++
			if mode == unix.PERF_RECORD_MISC_USER {
				user++
			}
		})
	}
	return user / max(all, 1)
}

// each passes on the samples that have come since the last call.
func (r *ring) each(sample func(mode uint16, pid uint32)) {
	const modes = unix.PERF_RECORD_MISC_CPUMODE_MASK
	head := (*unix.PerfEventMmapPage)(unsafe.Pointer(&r.mem[0]))
	data := r.mem[unix.Getpagesize():]
	end := atomic.LoadUint64(&head.Data_head)
	for r.tail < end {
		// A record is a multiple of 8 bytes, and so is the ring: only what comes
		// after the first 8 bytes can be at the other end.
		at := r.tail % uint64(len(data))
		kind := binary.NativeEndian.Uint32(data[at:])
		if kind == unix.PERF_RECORD_SAMPLE {
			pid := binary.NativeEndian.Uint32(data[(at+8)%uint64(len(data)):])
			sample(binary.NativeEndian.Uint16(data[at+4:])&modes, pid)
		}
		r.tail += uint64(binary.NativeEndian.Uint16(data[at+6:]))
	}
	atomic.StoreUint64(&head.Data_tail, r.tail)
}
