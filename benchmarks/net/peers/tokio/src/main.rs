//! An echo server with tokio: a task a connection, all on the thread of main. It
//! prints where it listens, and answers SIGUSR1; it has no garbage to collect.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> std::io::Result<()> {
    let buffer = buffer();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            // block_on itself is slower to wake than a task.
            tokio::spawn(serve(buffer)).await.expect("serve panicked")
        })
}

/// buffer is the value of -buffer.
fn buffer() -> usize {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().position(|arg| arg == "-buffer") {
        Some(i) => args[i + 1].parse().expect("-buffer wants a number"),
        None => 4096,
    }
}

async fn serve(buffer: usize) -> std::io::Result<()> {
    let mut settle = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move {
        while settle.recv().await.is_some() {
            println!("settled");
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?; // as the others do by default
        tokio::spawn(echo(stream, buffer));
    }
}

async fn echo(mut stream: TcpStream, buffer: usize) {
    let mut buf = vec![0; buffer];
    loop {
        match stream.read(&mut buf).await {
            Ok(0) | Err(_) => return,
            Ok(n) => {
                if stream.write_all(&buf[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}
