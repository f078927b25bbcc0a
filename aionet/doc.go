// Package aionet connects the tasks of an [asyncio.Loop] with each other and the world:
// TCP and Unix sockets, TLS, datagrams, pipes and names.
//
//	func main() {
//		asyncio.Main(func(ctx context.Context) error {
//			l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:7777")
//			if err != nil {
//				return err
//			}
//			return aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
//				for line, err := range c.Lines() {
//					if err != nil {
//						return err
//					}
//					fmt.Fprintf(c, "you said %q\n", line)
//				}
//				return nil
//			})
//		})
//	}
//
// Every operation that waits suspends its task, not the goroutine of the loop. It obeys
// the innermost scope of its task, so [asyncio.Timeout] bounds a whole exchange, and
// when a task is cancelled its reads and writes fail.
//
// # Streams
//
// [Dial] and [Listener.Accept] give a [Conn]. It reads like any [io.Reader], or buffered:
// [Conn.Peek] and [Conn.Discard], [Conn.ReadUntil], [Conn.ReadLine], [Conn.Lines], all of
// them within a limit. io.ReadFull reads exactly so many bytes. While a task waits for
// input, no buffer is held.
//
// [Conn.Write] returns when the system has taken what was written: that is the
// backpressure. [Conn.Enqueue] never waits, collects small writes into one system call,
// and leaves the backpressure to [Conn.Drain].
//
// [Server] and [Serve] run a task for each connection, bound how many there are, and end
// in order.
//
// # From asyncio
//
//	open_connection, create_connection      Dial, Dialer
//	open_unix_connection                    Dial with the network unix
//	start_server, create_server             Listen and Serve, ListenConfig, Server
//	reader.read, readexactly                Read, io.ReadFull
//	readline, readuntil, async for line     ReadLine, ReadUntil, Lines
//	writer.write, drain                     Enqueue, Drain; or Write, which is both
//	write_eof, close, transport.abort       CloseWrite, Close, Abort
//	create_datagram_endpoint                ListenPacket, DialPacket
//	start_tls                               StartTLS, AcceptTLS
//	sendfile                                io.Copy(conn, file)
//	connect_read_pipe, connect_write_pipe   NewPipe
//	getaddrinfo, getnameinfo                Resolver
//
// # Other networks
//
// A loop whose [asyncio.LoopOptions].Network is a [Network] uses that in place of the
// system's. On Windows, and with the build tag asyncio_netonly, the system's network is
// reached through package net.
package aionet
