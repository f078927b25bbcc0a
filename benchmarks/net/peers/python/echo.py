"""An echo server with asyncio, by itself or on uvloop's loop: with streams, or
with a protocol. It prints where it listens; after SIGUSR1 it collects garbage,
and says so."""

import argparse
import asyncio
import gc
import signal


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo(reader, writer):
    try:
        while data := await reader.read(options.buffer):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def settle():
    gc.collect()
    print("settled", flush=True)


async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, settle)
    where = {"host": "127.0.0.1", "port": 0, "backlog": 4096}
    if options.kind == "streams":
        server = await asyncio.start_server(echo, **where)
    else:
        server = await loop.create_server(Echo, **where)
    print("%s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


parser = argparse.ArgumentParser()
parser.add_argument("loop", choices=["asyncio", "uvloop"])
parser.add_argument("kind", choices=["streams", "protocol"])
parser.add_argument("-buffer", type=int, default=4096)
options = parser.parse_args()

if options.loop == "uvloop":
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
