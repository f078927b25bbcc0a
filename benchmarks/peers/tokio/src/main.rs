//! The work of the Go benchmarks in tokio, on its current_thread runtime.
//!
//!     bench [-benchtime SECONDS]
//!
//! Prints one line a work, in the format of Go benchmarks. Each work is a
//! function that does n units and says how long that took; n grows until it is
//! long enough.
//!
//! A work runs in a spawned task, not in block_on itself: waking the latter
//! costs a system call, which would be unfair.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::{spawn, spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

type Work = fn(usize) -> Pin<Box<dyn Future<Output = Duration> + Send>>;

const WORKS: [(&str, &str, Work); 8] = [
    ("Yield", "tokio", |n| Box::pin(yields(n))),
    ("Yield", "tokio-wake", |n| Box::pin(wakes(n))),
    ("Yield100", "tokio", |n| Box::pin(yields_of_100(n))),
    ("SpawnAwait", "tokio", |n| Box::pin(spawns_and_awaits(n))),
    ("Spawn1000", "tokio", |n| Box::pin(spawns_of_1000(n))),
    ("Timer", "tokio", |n| Box::pin(timers(n))),
    ("Timeout", "tokio", |n| Box::pin(timeouts(n))),
    ("Blocking", "tokio", |n| Box::pin(blocking(n))),
];

fn main() {
    let mut args = std::env::args().skip(1);
    let benchtime = match (args.next().as_deref(), args.next()) {
        (None, _) => 0.2,
        (Some("-benchtime"), Some(seconds)) => seconds.parse().expect("a number of seconds"),
        _ => panic!("usage: bench [-benchtime SECONDS]"),
    };
    println!("# tokio: tokio 1.54.1 current_thread, without sockets");
    for (name, peer, work) in WORKS {
        let (n, took) = measure(work, Duration::from_secs_f64(benchtime));
        let ns = took.as_nanos() as f64 / n as f64;
        println!("Benchmark{name}/peer={peer}\t{n}\t{ns:.1} ns/op");
    }
}

/// How many units of work were done, and in what time.
fn measure(work: Work, benchtime: Duration) -> (usize, Duration) {
    let mut n = 1000;
    loop {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let took = runtime.block_on(async { spawn(work(n)).await.unwrap() });
        if took >= benchtime.mul_f64(0.8) || n >= 1_000_000_000 {
            return (n, took);
        }
        let aim = n as f64 * benchtime.as_secs_f64() / took.as_secs_f64();
        n = (aim as usize).clamp(n * 2, n * 100) / 1000 * 1000;
    }
}

/// yield_now lets the runtime look for events before the task runs again.
async fn yields(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        yield_now().await;
    }
    start.elapsed()
}

/// A future that wakes itself only goes to the end of the ready queue: the
/// least that a switch of tasks costs.
async fn wakes(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        let mut woken = false;
        poll_fn(|cx| {
            if woken {
                return Poll::Ready(());
            }
            woken = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    start.elapsed()
}

async fn yields_of_100(n: usize) -> Duration {
    let start = Instant::now();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            spawn(async move {
                for _ in 0..n / 100 {
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed()
}

async fn one() -> usize {
    black_box(1)
}

async fn spawns_and_awaits(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        black_box(spawn(one()).await.unwrap());
    }
    start.elapsed()
}

async fn spawns_of_1000(n: usize) -> Duration {
    let mut tasks = Vec::with_capacity(1000);
    let start = Instant::now();
    for _ in 0..n / 1000 {
        tasks.extend((0..1000).map(|_| spawn(one())));
        for task in tasks.drain(..) {
            black_box(task.await.unwrap());
        }
    }
    start.elapsed()
}

const PENDING: usize = 100_000;

/// The delays of the Go benchmark: one to two hours, in no order.
fn delays() -> Vec<Duration> {
    let mut x = 1u32;
    let delay = |_| {
        x = x.wrapping_mul(1664525).wrapping_add(1013904223);
        HOUR + Duration::from_millis(u64::from(x % 3_600_000))
    };
    (0..PENDING).map(delay).collect()
}

/// A timer is in the wheel from its first poll until it is dropped.
async fn timers(n: usize) -> Duration {
    let delays = delays();
    let mut pending: Vec<_> = delays.iter().map(|&delay| Box::pin(sleep(delay))).collect();
    for timer in &mut pending {
        start(timer.as_mut()).await;
    }
    yield_now().await;
    let began = Instant::now();
    for i in 0..n {
        start(pin!(sleep(delays[i % PENDING]))).await;
        // A turn of the loop now and then, as the peers have it.
        if i % 1000 == 0 {
            yield_now().await;
        }
    }
    began.elapsed()
}

async fn start<F: Future>(mut timer: Pin<&mut F>) {
    poll_fn(|cx| {
        let _ = timer.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await
}

async fn timeouts(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        timeout(HOUR, yield_now()).await.unwrap();
    }
    start.elapsed()
}

async fn blocking(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        black_box(spawn_blocking(|| black_box(1)).await.unwrap());
    }
    start.elapsed()
}
