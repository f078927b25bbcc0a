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
// [Yield], [Task.Await], [Future.Await], [Generator.Next], [Blocking], [Recv],
// [Send]. To await another coroutine, call it: f(ctx).
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
// function that runs another in a scope of its own, which ends with it: [Timeout],
// [WaitFor], [Shield].
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
// Operations that wait for several coroutines, when they come, will cancel the
// others when one fails and wait for them; none will leave siblings running.
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
//	timeout(d), wait_for(f(), d)    Timeout(ctx, d, f), WaitFor(ctx, d, f)
//	shield(f())                     Shield(ctx, f)
//	sleep(d), sleep(0)              Sleep(ctx, d), Yield(ctx)
//	call_soon, call_later, call_at  l.CallSoon(f), l.CallLater(d, f), l.CallAt(t, f)
//	call_soon_threadsafe            l.CallSoon(f), from any goroutine
//	run_coroutine_threadsafe        Submit(l, f)
//	to_thread, run_in_executor      Blocking(ctx, f), Abandonable(ctx, f)
//	async generator, aclose         Generate(ctx, f), g.Close(ctx)
//	async for v in g                for v, err := range g.All(ctx)
//	CancelledError, TimeoutError    *CancelledError, ErrTimeout
//	InvalidStateError               ErrInvalidState
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
// with [ErrDeadlock]; where that cannot be proved, it is reported after 10 s.
// All reports go to [LoopOptions.Logger] and begin with "asyncio: ".
//
// # Testing
//
// With a [ManualClock] in [LoopOptions] a test does not wait: the clock jumps to
// the next timer when every task waits. A loop inside a testing/synctest bubble
// follows the bubble's clock.
package asyncio
