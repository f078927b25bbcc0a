// Package sim runs coroutines of package asyncio in a simulated world: under virtual
// time, over a simulated network, and in many orders of what may happen. A run that
// fails comes with a seed that fails again.
//
//	func TestTransfer(t *testing.T) {
//		sim.Test(t, func(ctx context.Context, w *sim.World) error {
//			bank := newBank()
//			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
//				g.Go(bank.deposit)
//				g.Go(bank.audit)
//				return nil
//			})
//			if err == nil && bank.sum() != 100 {
//				err = errors.New("money was lost")
//			}
//			return err
//		}, sim.Options{})
//	}
//
// The program is the one that runs on a real loop, without a rebuild: the loop asks the
// simulation for its time, its network and its decisions.
//
// # Terms
//
// A run is one execution of a [Func]. Its schedule is all that was decided in it: which
// of several ready tasks went on, and what the [World] drew, such as how long a packet
// took. A seed with a [Strategy] gives a schedule, and seed 0 is order of arrival in an
// ideal world. A campaign is many runs of one function: [Test], [Explore],
// [CancelEverywhere], [Fuzz]. A step is what a task does from one await to the next.
//
// A [Failure] has been shrunk: of its schedule are left the decisions that it takes to
// fail. [Test] saves it in testdata/sim, where later tests begin with it.
//
// # What is explored
//
//	which of several ready tasks runs first              explored
//	equal deadlines of tasks and timeouts                explored
//	when a function of Blocking runs, and which first    explored
//	latency, losses, how much a read or a write moves    drawn by the network
//	faults: crashes, pauses, clocks, disks, partitions   drawn, with Options.Faults
//	grants of a lock, a semaphore, a queue, an event     never: in order of arrival
//	callbacks of a future, of CallSoon, of one deadline  never
//	cancellations, and the shutdown                      never
//
// Nothing that the runtime promises is ever shuffled, so what a run shows can happen.
//
// # What is kept out
//
// What goes through the library and would leave the simulation, such as a call from
// another goroutine, a descriptor, a signal or a process, is refused, and fails the run
// with a stack.
//
// What does not go through it cannot be kept out: time.Now, a select with several ready
// cases, the order of a map, goroutines that the program starts, the global functions
// of math/rand, crypto/rand, and variables that one run leaves to the next. So runs are
// repeated (the first one, one in 256, and each that fails) and compared step by step. Where
// they part, the campaign fails with [KindStrayed] and says at which step of which task.
//
// # Which file to read
//
// schedule.go makes and records the decisions, strategy.go, walk.go, pct.go, pos.go and
// exhaustive.go choose; run.go is one run, explore.go a campaign; shrink.go and gather.go shorten,
// replay.go repeats, failure.go tells. world.go, clock.go, executor.go, host.go, disk.go
// and faults.go are the world, and net.go, flow.go, packet.go and those beside them its
// network.
package sim
