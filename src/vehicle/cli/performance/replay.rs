//! The replay, in the command's own process: the daemon is only given the result.

use super::{Run, print, progress};
use crate::cli::ask;
use crate::cli::session;
use crate::control::{Reply, Request};
use crate::performance::{Axis, MAX_MISSES, Replay, Score, TestSet, score};
use crate::store::NewTest;
use plated_core::error::{Error, Kind, Result};
use plated_core::performance::Method;
use plated_core::record::MadeBy;
use plated_core::thread::give_way;

pub fn run(args: &Run) -> Result<()> {
    let Run { path, camera, set, note, misses, why, out } = args;
    let config = out.ask.config()?;
    let session = session::load(&config)?;
    if !camera.is_empty() && config.sources.iter().all(|source| source.name != *camera) {
        let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
        let message = format!("there is no camera {camera:?}; there are: {}", names.join(", "));
        return Err(Error::new(Kind::NotFound, message));
    }
    let reason = why.reason()?;
    let ask = |request: &Request, answer: &mut dyn FnMut(Reply) -> Result<()>| {
        ask::call(&config, session.clone(), request, None, answer)
    };
    // Who may not keep a result learns it before minutes have gone.
    ask(&Request::MayTest, &mut |_| Ok(()))?;
    let (set, score, made_by) = give_way("replay", || {
        let set = TestSet::load(path, set.as_deref())?;
        let mut replay = Replay::open(&config.recognition)?;
        let score = replayed(&set, &mut replay)?;
        Ok((set, score, replay.made_by()))
    })?;
    let test = result(&set, &score, made_by, camera, note);
    ask(&Request::KeepTest { test, reason: reason.clone() }, &mut |reply| match reply {
        Reply::Test(kept) => print::test(&kept, out.json),
        _ => Ok(()),
    })?;
    if !misses {
        return Ok(());
    }
    let worst = score.worst(MAX_MISSES);
    let shown = Request::ShowMisses { set: set.name, misses: worst.len() as u64, reason, case: why.case.clone() };
    ask(&shown, &mut |_| Ok(()))?;
    worst.iter().try_for_each(|miss| print::miss(miss, out.json))
}

fn replayed(set: &TestSet, replay: &mut Replay) -> Result<Score> {
    let bar = progress(set.items.len());
    let mut total = Score::default();
    for item in &set.items {
        let reads = replay.reads(item)?;
        total.add(&item.name, score(&item.labels, &reads, Axis::FRAMES));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(total)
}

fn result(set: &TestSet, score: &Score, made_by: MadeBy, camera: &str, note: &str) -> NewTest {
    let method = Method::Replay { set: set.name.clone(), sha256: set.sha256, files: set.items.len() as u64 };
    NewTest { camera: camera.to_owned(), method, counts: score.counts, made_by, note: note.to_owned() }
}
