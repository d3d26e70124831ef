//! The searches of one look: what was searched for, and where each page of the result begins. They are named by
//! an id, so that no plate stands in an address, and end with the look.

use super::pages::search::Entered;
use crate::store::Search;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Searches that are kept; the oldest goes.
const MAX_SEARCHES: usize = 20;
/// Pages of a result that can be gone to.
pub const MAX_PAGES: usize = 400;

/// Those that are kept.
#[derive(Default)]
pub struct Searches(Mutex<VecDeque<Kept>>);

struct Kept {
    id: Uuid,
    entered: Entered,
    /// What each page goes on from, as far as they were looked at.
    pages: Vec<Search>,
}

impl Searches {
    /// Keeps one that was begun.
    pub fn keep(&self, id: Uuid, entered: Entered, search: Search) {
        let mut kept = self.lock();
        if kept.len() >= MAX_SEARCHES {
            kept.pop_front();
        }
        kept.push_back(Kept { id, entered, pages: vec![search] });
    }

    /// What was entered, and what this page goes on from; of a page that nobody was at yet, the last known one.
    /// Gives the number of the page, from 0.
    pub fn find(&self, id: Uuid, page: usize) -> Option<(Entered, usize, Search)> {
        let kept = self.lock();
        let kept = kept.iter().find(|kept| kept.id == id)?;
        let page = page.min(kept.pages.len().saturating_sub(1));
        Some((kept.entered.clone(), page, kept.pages.get(page)?.clone()))
    }

    /// The page after `page` goes on from here.
    pub fn goes_on(&self, id: Uuid, page: usize, from: Search) {
        let mut kept = self.lock();
        if let Some(kept) = kept.iter_mut().find(|kept| kept.id == id && kept.pages.len() == page + 1) {
            kept.pages.push(from);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
