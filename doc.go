// Package asyncio runs concurrent functions one at a time on an event loop, as
// Python's asyncio does.
//
//	v, err := asyncio.Run(ctx, func(ctx context.Context) (int, error) {
//		task := asyncio.Spawn(ctx, fetch)
//		if err := asyncio.Sleep(ctx, time.Second); err != nil {
//			return 0, err
//		}
//		return task.Await(ctx)
//	})
//
// # Terms
//
// A coroutine is a function of the shape func(ctx context.Context) (T, error)
// that may await. An await is a call that may suspend its caller: [Sleep],
// [Yield], [Task.Await], [Queue.Get], [Lock.Acquire], [Blocking] and most others
// that take a ctx. To await another coroutine, call it: f(ctx).
//
// A [Loop] runs coroutines. Between two awaits a coroutine is alone on its loop:
// state that belongs to one loop needs no lock. The ctx that a coroutine receives
// carries its loop, and every function of this package finds the loop there.
//
// A [Task] is a coroutine that runs concurrently with others; [Spawn] and [Go]
// start one. [Run] makes a loop, runs one coroutine as its main task, and ends
// everything that is left.
//
// A scope is a [context.Context] that belongs to a loop. Each task has one, and
// [WithCancel], [WithTimeout] and [WithDeadline] derive more. A bracket is a
// function that runs others in a scope of its own, which ends with it: [Timeout],
// [WaitFor], [Shield], [Group], [Gather], [Settle], [First]. A join is the end of a
// bracket that waits for tasks; it is no cancellation point.
//
// # Waiting together
//
// [Group] runs tasks that are started one by one and returns when all have ended;
// when one fails the others are cancelled. [Gather], [Settle] and [First] do so
// with given functions, and differ in what they make of errors. [Wait] and
// [AsCompleted] wait for tasks that somebody else owns.
//
// A [Queue] hands values from task to task, with backpressure. A [Semaphore]
// bounds how many do something at a time, an [Event] is a flag to wait for, a
// [Barrier] holds tasks until all have come. A [Lock] keeps an invariant over
// awaits, a [Cond] waits under it for a condition; state that is consistent at
// every await needs neither, and [NoAwait] guards that. All of them serve tasks in
// the order in which they came, and whoever comes while others wait is behind them.
//
// An operation that is cancelled in the turn in which it completes has either
// happened, and returns its result, or has not, and returns the cancellation. No
// value, permit or wake-up is lost in between.
//
// # What differs from asyncio
//
// Cancellation is level-triggered. While a task's scope is cancelled, every one
// of its awaits fails, not only the first: code cannot lose a cancellation by
// ignoring an error. Cleanup that has to await runs in [Shield] or under
// [context.WithoutCancel]. There is no uncancel, because nothing counts: who
// cancelled is a question of identity, and a [Timeout] reports [ErrTimeout] only
// if its own deadline struck.
//
// Awaiting does not own. Cancelling a task that awaits another leaves the other
// alone. It is usually cancelled all the same, because its scope lies below that
// of the task that spawned it.
//
// Nothing leaves siblings running. When a function of [Gather] fails, the others are
// cancelled and awaited, as in a [Group]; with [Settle] they run on. A group's
// single error is returned as it is, and only several as a [GroupError].
//
// Errors are values. A task that fails and that nobody awaits is reported, at the
// latest when its loop closes. A panic is not an error: it is reported at once,
// with its stack, and out of main it leaves Run, after the shutdown.
//
// The shutdown ends. What does not end within [LoopOptions.ShutdownTimeout] is
// unwound by force, with its deferred functions run, and named in a
// [ShutdownError].
//
// There is no current loop of a goroutine. Functions take a ctx; without a loop
// in it they say so.
//
// # Rules
//
// A task must not block its goroutine: time.Sleep, a channel or a mutex would
// stop the whole loop. [Blocking] runs such calls elsewhere. A step that blocks
// for longer than a second is reported with its stack, while it blocks.
//
// What belongs to a loop is used on that loop. From other goroutines use
// [Loop.CallSoon] and [Submit]. Anything else is detected and panics with a
// message that says what to do instead; that holds for every misuse.
//
// Whoever runs a loop must have its thread locked always or never, and as many
// times, when it resumes tasks as when they began: a task must not await, and a
// callback not return, with a lock by [runtime.LockOSThread] or of a cgo callback
// that was not there before. Go ends the process otherwise.
//
// # From asyncio to Go
//
//	run(main())                     Run(ctx, main), Main(main)
//	Runner(debug=True)              Runner{Debug: DebugOn}
//	new_event_loop                  NewLoop(options)
//	run_until_complete, run_forever RunUntilComplete(ctx, l, main), l.RunForever()
//	stop, close                     l.Stop(), l.Close()
//	get_running_loop, current_task  RunningLoop(ctx), CurrentTask(ctx)
//	all_tasks                       l.Tasks()
//	await f()                       f(ctx)
//	create_task(f())                Go(ctx, f), Spawn(ctx, f), SpawnWith(ctx, options, f)
//	await t, t.result()             t.Await(ctx), t.Result()
//	t.cancel(msg)                   t.Cancel(cause)
//	Future()                        NewFuture[T](ctx)
//	TaskGroup                       Group(ctx, f); g.Go(f), SpawnIn(g, f), StartIn(ctx, g, f)
//	gather(...)                     Gather(ctx, fs...), Settle(ctx, fs...), First(ctx, fs...)
//	wait, as_completed              Wait(ctx, mode, ts...), AsCompleted(ctx, ts...)
//	Lock, Event, Condition          Lock, Event, Cond
//	Semaphore, Barrier              NewSemaphore(n), NewBarrier(n)
//	Queue, LifoQueue, PriorityQueue NewQueue[T](max), NewLifoQueue[T](max), NewPriorityQueue(max, less)
//	ContextVar                      Var[T]
//	timeout(d), wait_for(f(), d)    Timeout(ctx, d, f), WaitFor(ctx, d, f)
//	shield(f())                     Shield(ctx, f)
//	sleep(d), sleep(0)              Sleep(ctx, d), Yield(ctx)
//	call_soon, call_later, call_at  l.CallSoon(f), l.CallLater(d, f), l.CallAt(t, f)
//	call_soon_threadsafe            l.CallSoon(f), from any goroutine
//	run_coroutine_threadsafe        Submit(l, f)
//	add_signal_handler              for s, err := range Signals(ctx, signals...)
//	to_thread, run_in_executor      Blocking(ctx, f), Abandonable(ctx, f)
//	async generator, aclose         Generate(ctx, f), g.Close(ctx)
//	async for v in g                for v, err := range g.All(ctx)
//	CancelledError, TimeoutError    *CancelledError, ErrTimeout
//	ExceptionGroup                  *GroupError
//	InvalidStateError               ErrInvalidState
//	open_connection, start_server   aionet.Dial; aionet.Listen, aionet.Serve
//	reader, writer                  aionet.Conn
//	create_datagram_endpoint        aionet.ListenPacket
//	add_reader, add_writer          l.Register(fd)
//	print_call_graph                fmt.Println(task.CallGraph())
//	set_exception_handler           LoopOptions.ExceptionHandler
//	PYTHONASYNCIODEBUG              ASYNCIODEBUG
//
// The file docs/python.md of the repository has every name.
//
// # Debugging
//
// A [Runner] with [DebugOn], or ASYNCIODEBUG=1 in the environment, reports slow
// steps, tasks that ignore their cancellation and more; see [DebugMode]. A loop
// on which every task waits and that provably nothing can wake (no timer, nothing
// that runs elsewhere, and nothing in other hands that could cancel or call) ends
// with [ErrDeadlock]; where that cannot be proved, it is reported after 10 s. An
// await that would close a circle of tasks that wait for each other, for locks or
// for each other's ends, fails at once with a [DeadlockError], also while other
// tasks keep the loop busy. [Loop.Tasks] is who waits for what at the moment, as a
// tree, and [Task.CallGraph] where a task stands and who waits for it.
// All reports go to [LoopOptions.Logger] and begin with "asyncio: ".
//
// # Testing
//
// With a [ManualClock] in [LoopOptions] a test does not wait: the clock jumps to
// the next timer when every task waits. A loop inside a testing/synctest bubble
// follows the bubble's clock.
package asyncio
