//! One way to stop, for threads and futures alike.
//!
//! A [`Shutdown`] is cloned to everybody who has to end. It is asked for once, and stays asked for.
//! A [child](Shutdown::child) ends with its parent or before it, which is how parts are stopped one
//! after the other: what makes work first, then, when the queues are empty, what does it.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// A request to stop, which has come or not.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Ends when it is asked for; nothing is ever sent.
    threads: Receiver<Infallible>,
    futures: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    /// Gone when it is asked for.
    running: Option<Sender<Infallible>>,
    children: Vec<Weak<Inner>>,
}

impl Shutdown {
    /// Not asked for yet.
    pub fn new() -> Self {
        let (running, threads) = bounded(0);
        let state = Mutex::new(State { running: Some(running), children: Vec::new() });
        Self(Arc::new(Inner { state, threads, futures: watch::Sender::new(false) }))
    }

    /// One that is asked for with this one, or alone.
    pub fn child(&self) -> Self {
        let child = Self::new();
        let mut state = self.0.lock();
        if state.running.is_some() {
            state.children.retain(|other| other.strong_count() > 0);
            state.children.push(Arc::downgrade(&child.0));
        } else {
            child.request();
        }
        child
    }

    /// Asks everybody to stop. Again does no harm.
    pub fn request(&self) {
        self.0.request();
    }

    /// True once it is asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.futures.borrow()
    }

    /// Waits until it is asked for. For threads.
    pub fn wait(&self) {
        // Nothing is sent, so this ends when the sender is gone.
        let _ = self.0.threads.recv();
    }

    /// Waits so long, or until it is asked for; true if it is. For threads.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.0.threads.recv_timeout(timeout) == Err(RecvTimeoutError::Disconnected)
    }

    /// A channel that is disconnected once it is asked for, for threads that wait in a
    /// `crossbeam_channel::select!`.
    pub fn channel(&self) -> &Receiver<Infallible> {
        &self.0.threads
    }

    /// Is done once it is asked for. For futures.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut futures = self.0.futures.subscribe();
        let this = self.clone();
        async move {
            // The sender lives as long as `this`.
            let _ = futures.wait_for(|requested| *requested).await;
            drop(this);
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self) {
        let children = {
            let mut state = self.lock();
            self.futures.send_replace(true);
            state.running = None;
            std::mem::take(&mut state.children)
        };
        for child in children.iter().filter_map(Weak::upgrade) {
            child.request();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_thread_that_waits_wakes_when_asked_and_not_before() {
        let stop = Shutdown::new();
        assert!(!stop.wait_timeout(Duration::from_millis(1)) && !stop.is_requested());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let stop = stop.clone();
                thread::spawn(move || stop.wait_timeout(LONG))
            })
            .collect();
        stop.request();
        stop.request();
        assert!(threads.into_iter().all(|t| t.join().unwrap()));
        assert!(stop.is_requested() && stop.wait_timeout(Duration::ZERO));
        stop.wait();
    }

    #[tokio::test]
    async fn a_future_that_waits_is_done_when_a_thread_asks() {
        let stop = Shutdown::new();
        let waiting: Vec<_> = (0..4).map(|_| tokio::spawn(stop.requested())).collect();
        let asking = stop.clone();
        thread::spawn(move || asking.request());
        for task in waiting {
            tokio::time::timeout(LONG, task).await.unwrap().unwrap();
        }
        stop.requested().await;
    }

    #[tokio::test]
    async fn a_future_outlives_the_handle_it_came_from() {
        let stop = Shutdown::new();
        let child = stop.child();
        let requested = child.requested();
        drop(child);
        stop.request();
        tokio::time::timeout(LONG, requested).await.unwrap();
    }

    #[test]
    fn a_child_stops_with_its_parent_and_alone_stops_nobody_else() {
        let parent = Shutdown::new();
        let (first, second) = (parent.child(), parent.child());
        let grandchild = second.child();
        first.request();
        assert!(first.is_requested() && !parent.is_requested() && !second.is_requested());
        parent.request();
        assert!(second.wait_timeout(Duration::ZERO) && grandchild.wait_timeout(Duration::ZERO));
        assert!(parent.child().is_requested(), "who comes late does not miss it");
    }

    #[test]
    fn a_thread_that_selects_hears_it_beside_its_queue() {
        let stop = Shutdown::new();
        let (_work, queue) = bounded::<u32>(1);
        let other = stop.clone();
        let thread = thread::spawn(move || {
            crossbeam_channel::select! {
                recv(queue) -> _ => false,
                recv(other.channel()) -> _ => true,
            }
        });
        stop.request();
        assert!(thread.join().unwrap());
    }

    #[test]
    fn asked_from_many_threads_at_once_while_children_are_made_none_is_missed() {
        let parent = Shutdown::new();
        let makers: Vec<_> = (0..4)
            .map(|_| {
                let parent = parent.clone();
                thread::spawn(move || (0..500).map(|_| parent.child()).collect::<Vec<_>>())
            })
            .collect();
        parent.request();
        for child in makers.into_iter().flat_map(|m| m.join().unwrap()) {
            assert!(child.wait_timeout(LONG));
        }
    }
}
