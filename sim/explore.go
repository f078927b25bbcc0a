package sim

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options are those of a campaign. The zero value is right for most.
type Options struct {
	// Seeds is how many schedules are tried; zero means 1,000, and under go test -short
	// [Test] tries a tenth. Seed is the first of
	// them: with Seeds of 1 it is the only one. Seed 0 is plain FIFO order.
	Seeds int
	Seed  uint64

	// Budget bounds the time that a campaign takes on the machine's clock; zero is
	// no bound.
	Budget time.Duration

	// Strategies are taken in turn; nil means Walk, PCT and POS.
	Strategies []Strategy

	// Faults are those that may be injected into a run; the zero value is none.
	Faults Faults

	// MaxSteps is how many steps a run may take; zero means 100,000.
	MaxSteps int

	// Jobs is how many runs go on at a time, each on a goroutine of its own; zero
	// means one a processor. What f shares between runs needs a lock with more than
	// one.
	Jobs int

	// Reach are the names of [Sometimes] and [Reachable] that the campaign must see;
	// those of Sometimes that it comes across need not be listed.
	Reach []string
}

// filled has the defaults where nothing is said, and panics if what is said makes no sense.
func (o Options) filled() Options {
	switch {
	case o.Seeds < 0 || o.MaxSteps < 0 || o.Jobs < 0 || o.Budget < 0:
		panic(fmt.Sprintf("sim: Options: Seeds, MaxSteps, Jobs and Budget are %d, %d, %d and %v; "+
			"none of them can be negative, and zero is the default", o.Seeds, o.MaxSteps, o.Jobs, o.Budget))
	case o.exhaustive() && len(o.Strategies) > 1:
		panic(fmt.Sprintf("sim: Options.Strategies is %q; Exhaustive cannot be mixed with others, leave them out", o.Strategies))
	}
	for _, s := range o.Strategies {
		s.mustExist()
	}
	o.Seeds = cmp.Or(o.Seeds, 1000)
	o.MaxSteps = cmp.Or(o.MaxSteps, 100_000)
	o.Jobs = cmp.Or(o.Jobs, runtime.GOMAXPROCS(0))
	if last := uint64(o.Seeds) - 1; o.Seed > math.MaxUint64-last {
		panic(fmt.Sprintf("sim: Options: there are no %d seeds from %d on; begin with a lower one", o.Seeds, o.Seed))
	}
	return o
}

// A Report is what a campaign has found.
type Report struct {
	Schedules int // that were run, those of shrinking and checking apart
	Steps     int // in all of them
	Choices   int // decisions in all of them that could have been made otherwise
	Elapsed   time.Duration
	// Hash is of all decisions and steps of all of them: the same for the same seeds,
	// on whatever machine, as long as no run fails.
	Hash     uint64
	Complete bool     // of Exhaustive: every schedule was tried
	Failure  *Failure // nil if no run failed
}

// A campaign is many runs of one function.
type campaign struct {
	f       Func
	o       Options
	est     *estimate
	replay  func(seed uint64) string // the command that runs a seed again
	cancels bool                     // it is CancelEverywhere's, at this moment
	moment  int
	brief   bool // it has fewer runs than its test wants, and need not see everything
	sights  sights
	next    atomic.Uint64 // the number of the next run
	choices atomic.Int64
	steps   atomic.Int64
	ran     atomic.Int64
	hash    atomic.Uint64 // a sum, because runs end in any order

	mu       sync.Mutex
	failed   *Failure // of the lowest seed
	failedAt uint64
}

// Explore runs f under many schedules until one fails. It is [Test] without testing.
func Explore(f Func, o Options) *Report {
	return newCampaign(f, o).explore()
}

func newCampaign(f Func, o Options) *campaign {
	if f == nil {
		panic("sim: the function is nil; give the program to run")
	}
	return &campaign{f: f, o: o.filled()}
}

func (c *campaign) explore() *Report {
	began := time.Now()
	r := &Report{}
	c.first()
	switch {
	case c.failed != nil:
	case c.o.exhaustive():
		r.Complete = c.exhaust(began)
	default:
		c.spread(began)
	}
	r.Schedules, r.Steps, r.Choices = int(c.ran.Load()), int(c.steps.Load()), int(c.choices.Load())
	r.Hash = c.hash.Load()
	if r.Failure = c.failed; r.Failure == nil {
		r.Failure = c.verdict(r)
	}
	r.Elapsed = time.Since(began)
	return r
}

// verdict is what is wrong with a campaign in which no run failed.
func (c *campaign) verdict(r *Report) *Failure {
	if c.o.Seeds == 1 {
		return nil // one run need not see everything
	}
	if missed := c.sights.missed(c.o.Reach); missed != "" && !c.brief {
		return &Failure{Kind: KindMissed, Schedules: r.Schedules, Err: errors.New(missed)}
	}
	if r.Choices == 0 {
		return &Failure{Kind: KindEmpty, Schedules: r.Schedules,
			Err: errors.New("there was nothing to choose: no two tasks were ever ready at the same time; " +
				"use Run for a program of one task, or let its tasks run together")}
	}
	return nil
}

// first runs FIFO order, twice, for the estimates and to see that runs can be repeated.
func (c *campaign) first() {
	s := &schedule{}
	s.reset(fifo{}, c.o.MaxSteps)
	w := c.play(s)
	c.est = estimateOf(s)
	if where := c.repeat(s); where != "" {
		c.fail(0, &Failure{Kind: KindStrayed, Strategy: FIFO, Schedules: 1, Err: errors.New(where)})
		return
	}
	if c.o.Seed == 0 && !c.o.exhaustive() {
		c.next.Store(1)
		c.count(s)
		if w.failure != nil {
			c.found(s, nil, 0, w.failure)
		}
	}
}

func (c *campaign) count(s *schedule) {
	c.ran.Add(1)
	c.hash.Add(s.hash)
	c.steps.Add(int64(len(s.steps)))
	c.choices.Add(int64(len(s.made)))
}

// spread runs the seeds on so many goroutines.
func (c *campaign) spread(began time.Time) {
	var workers sync.WaitGroup
	for range c.o.Jobs {
		workers.Go(func() { c.work(began) })
	}
	workers.Wait()
}

// work runs seeds until there are no more, or a lower one has failed.
func (c *campaign) work(began time.Time) {
	s, passed := &schedule{}, &schedule{}
	all := newStrategies()
	seed, ended := uint64(0), false
	defer func() {
		if !ended {
			c.fail(seed, &Failure{Kind: KindError, Seed: seed, Strategy: c.o.strategyOf(seed), Schedules: int(seed-c.o.Seed) + 1,
				Err: errors.New("runtime.Goexit was called, as t.FailNow does; return an error instead")})
		}
	}()
	for {
		i := c.next.Add(1) - 1
		if i >= uint64(c.o.Seeds) || c.over(c.o.Seed+i) || c.o.Budget > 0 && time.Since(began) > c.o.Budget {
			ended = true
			return
		}
		seed = c.o.Seed + i
		s.reset(all.begin(c.o.strategyOf(seed), seed, c.est), c.o.MaxSteps)
		w := c.play(s)
		c.count(s)
		if w.failure == nil && i%repeatEvery == 1 {
			if where := c.repeat(s); where != "" {
				w.failure = &Failure{Kind: KindStrayed, Err: errors.New(where)}
			}
		}
		if w.failure != nil {
			c.found(s, passed, seed, w.failure)
			ended = true
			return
		}
		s, passed = passed, s
	}
}

// repeatEvery is which runs are made twice, to see that they can be repeated.
const repeatEvery = 256

// over reports whether a seed below the given one has failed.
func (c *campaign) over(seed uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed != nil && c.failedAt < seed
}

func (c *campaign) fail(seed uint64, f *Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil || seed < c.failedAt {
		c.failed, c.failedAt = f, seed
	}
}

// found makes the report of a run that has failed: it sees whether it does so again,
// shrinks it, and runs it once more to find the words.
func (c *campaign) found(s, passed *schedule, seed uint64, f *Failure) {
	switch f.Kind {
	case KindFence, KindStrayed:
	default:
		if where := c.repeat(s); where != "" {
			f = &Failure{Kind: KindStrayed, Err: fmt.Errorf("%s; the run had failed with: %w", where, f.Err)}
		} else {
			f = c.tell(c.shrink(f, picksOf(s)), passed)
		}
	}
	f.Seed, f.Strategy, f.Schedules = seed, c.o.strategyOf(seed), int(seed-c.o.Seed)+1
	if c.replay != nil {
		f.replay = c.replay(seed)
	}
	c.fail(seed, f)
}

// tell runs a record for its report.
func (c *campaign) tell(picks []int32, passed *schedule) *Failure {
	s := &schedule{}
	s.reset(&replay{picks: picks}, c.o.MaxSteps)
	s.names = newNames()
	w := c.play(s)
	if w.failure == nil {
		return &Failure{Kind: KindStrayed, Err: errors.New("the schedule failed, but not once more")}
	}
	return c.told(w, passed)
}

// told is the failure of a run that was made for its report.
func (c *campaign) told(w *World, passed *schedule) *Failure {
	f, s := w.failure, w.s
	f.Picks, f.Hash, f.At = picksOf(s), s.hash, w.Now()
	f.Events, f.Log = s.names.events, w.log
	for at, d := range s.made {
		if at < len(f.Picks) {
			f.of = append(f.of, d.n)
		}
		if what, ok := s.names.said[at]; ok {
			f.deviate(int(d.step)+1, what)
		}
	}
	if passed != nil && len(passed.steps) > 0 {
		f.Departs = departs(s, passed)
	}
	if w.victim != nil && w.victim.when != "" {
		f.Cancelled = w.victim.when
	}
	return f
}
