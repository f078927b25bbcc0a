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
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tokio::task::{JoinSet, spawn, spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

type Work = fn(usize) -> Pin<Box<dyn Future<Output = Duration> + Send>>;

const WORKS: [(&str, &str, Work); 18] = [
    ("Yield", "tokio", |n| Box::pin(yields(n))),
    ("Yield", "tokio-wake", |n| Box::pin(wakes(n))),
    ("Yield100", "tokio", |n| Box::pin(yields_of_100(n))),
    ("SpawnAwait", "tokio", |n| Box::pin(spawns_and_awaits(n))),
    ("Spawn1000", "tokio", |n| Box::pin(spawns_of_1000(n))),
    ("Gather1000", "tokio", |n| Box::pin(gathers_of_1000(n))),
    ("Group1000", "tokio", |n| Box::pin(groups_of_1000(n))),
    ("Cancel100k", "tokio", |n| Box::pin(cancels(n))),
    ("Lock", "tokio", |n| Box::pin(locks(n))),
    ("LockHandoff", "tokio", |n| Box::pin(hands_locks_over(n))),
    ("Semaphore", "tokio", |n| Box::pin(permits(n))),
    ("Event100", "tokio", |n| Box::pin(events(n))),
    ("QueueHandoff", "tokio", |n| Box::pin(queued(n, 1))),
    ("QueueBuffered", "tokio", |n| Box::pin(queued(n, 128))),
    ("QueueRoundTrip", "tokio", |n| Box::pin(round_trips(n))),
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

async fn gathers_of_1000(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n / 1000 {
        let set: JoinSet<_> = (0..1000).map(|_| one()).collect();
        black_box(set.join_all().await);
    }
    start.elapsed()
}

async fn groups_of_1000(n: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..n / 1000 {
        let mut set = JoinSet::new();
        for _ in 0..1000 {
            set.spawn(one());
        }
        while let Some(result) = set.join_next().await {
            black_box(result.unwrap());
        }
    }
    start.elapsed()
}

const SLEEPERS: usize = 100_000;

async fn cancels(n: usize) -> Duration {
    let mut took = Duration::ZERO;
    for begin in (0..n).step_by(SLEEPERS) {
        let mut set = JoinSet::new();
        for _ in begin..n.min(begin + SLEEPERS) {
            set.spawn(sleep(HOUR));
        }
        yield_now().await; // they fall asleep
        let start = Instant::now();
        set.shutdown().await;
        took += start.elapsed();
    }
    took
}

async fn locks(n: usize) -> Duration {
    let lock = Mutex::new(());
    let start = Instant::now();
    for _ in 0..n {
        drop(black_box(lock.lock().await));
    }
    start.elapsed()
}

async fn hands_locks_over(n: usize) -> Duration {
    let lock = Arc::new(Mutex::new(()));
    let taking = |lock: Arc<Mutex<()>>| async move {
        for _ in 0..n / 2 {
            let _guard = lock.lock().await;
            yield_now().await;
        }
    };
    let start = Instant::now();
    let other = spawn(taking(lock.clone()));
    taking(lock).await;
    other.await.unwrap();
    start.elapsed()
}

async fn permits(n: usize) -> Duration {
    let semaphore = Semaphore::new(10);
    let start = Instant::now();
    for _ in 0..n {
        drop(black_box(semaphore.acquire().await.unwrap()));
    }
    start.elapsed()
}

async fn events(n: usize) -> Duration {
    let event = Arc::new(Notify::new());
    let start = Instant::now();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let event = event.clone();
            spawn(async move {
                for _ in 0..n / 100 {
                    event.notified().await;
                }
            })
        })
        .collect();
    for _ in 0..n / 100 {
        yield_now().await; // they wait
        event.notify_waiters();
    }
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed()
}

async fn queued(n: usize, room: usize) -> Duration {
    let (tx, mut rx) = mpsc::channel(room);
    let start = Instant::now();
    let producer = spawn(async move {
        for i in 0..n {
            tx.send(i).await.unwrap();
        }
    });
    for _ in 0..n {
        black_box(rx.recv().await.unwrap());
    }
    producer.await.unwrap();
    start.elapsed()
}

async fn round_trips(n: usize) -> Duration {
    let (ping, mut pinged) = mpsc::channel(1);
    let (pong, mut ponged) = mpsc::channel(1);
    let start = Instant::now();
    let echo = spawn(async move {
        for _ in 0..n {
            let v: usize = pinged.recv().await.unwrap();
            pong.send(v).await.unwrap();
        }
    });
    for i in 0..n {
        ping.send(i).await.unwrap();
        black_box(ponged.recv().await.unwrap());
    }
    echo.await.unwrap();
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
