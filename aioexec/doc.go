// Package aioexec runs commands from the tasks of an [asyncio.Loop]. It is
// package os/exec for coroutines: waiting for a command suspends the task, not the
// goroutine of the loop, obeys its ctx, and leaves nothing behind.
//
//	out, err := aioexec.Command("git", "log", "-1", "--format=%H").Output(ctx)
//
// [Cmd.Run], [Cmd.Output], [Cmd.CombinedOutput] and [Cmd.Communicate] are brackets: they
// start a command and return when it has ended. [Cmd.Start] starts one that the
// task talks with, through [Cmd.StdinPipe], [Cmd.StdoutPipe] and [Cmd.StderrPipe],
// which are connections of package aionet; [Cmd.Wait] waits for its end.
//
// # Cancellation
//
// When the ctx of a bracket is cancelled, or the scope ends in which a command was
// started, the command is ended: its process group gets SIGTERM and, if it has not
// gone after [Cmd.Grace], SIGKILL. Who has left the group, as a daemon does, stays. The
// bracket returns the cancellation once the program was reaped. So a command outlives
// neither its scope nor the loop, whoever forgets it.
//
//	err := asyncio.Timeout(ctx, time.Minute, aioexec.Command("make").Run)
//
// Processes that the program leaves running when it ends by itself are left alone. If
// they hold its stdout or stderr, [Cmd.WaitDelay] bounds how long the command waits for
// them.
//
// # What it costs
//
// On Linux the loop watches a descriptor of the process, a pidfd, and no thread waits;
// elsewhere a goroutine waits for each. The fork runs off the loop, as a
// function of [asyncio.Blocking]. Data passes through a buffer of 32 KiB for each of the
// standard streams, however much it is; files are handed to the program.
//
// While the loop shuts down no tasks can be started. A task that cleans up then may run
// commands, with [Cmd.Run], whose standard streams are files or nil.
//
// Grace and WaitDelay are times on the loop's clock. A loop with a virtual clock that
// stands still while a program runs does not get to the end of them.
//
// # From asyncio
//
//	create_subprocess_exec(p, *args)    Command(p, args...) and Start
//	create_subprocess_shell(script)     Command("sh", "-c", script)
//	stdin=PIPE, proc.stdin              StdinPipe
//	stdout=PIPE, proc.stdout            StdoutPipe
//	stdout=f, DEVNULL                   Stdout; nil
//	stderr=STDOUT                       Stderr = the same writer as Stdout
//	proc.communicate(input)             Communicate
//	proc.wait()                         Wait
//	proc.returncode                     ProcessState.ExitCode()
//	proc.send_signal, terminate, kill   Signal, Terminate, Kill
//	proc.pid                            Pid
package aioexec
