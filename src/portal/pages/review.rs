//! Accounts under review: those that nobody uses, without training, without a second factor (controls P-20, P-23).

use crate::house::{Portal, Site};
use crate::pages::users;
use crate::routes::{Needs, Routes};
use crate::visit::Visit;
use crate::{draw, forms, words};
use axum::response::{IntoResponse, Response};
use plated_access::User;
use plated_core::text::count;
use plated_web::pages::{Review, ReviewRow};
use plated_web::problem::Problem;
use plated_web::ui::{Health, Link};

/// Rows on a page.
const PAGE: usize = 50;

pub fn routes(routes: Routes<Site>) -> Routes<Site> {
    routes.get("/review", Needs::Session, review)
}

async fn review(visit: Visit) -> Result<Response, Problem> {
    let mut all = users::users(&visit).await?;
    all.retain(|user| user.account.disabled.is_none());
    let portal = visit.portal();
    let mut rows: Vec<_> = all.iter().map(|user| reviewed(portal, user)).collect();
    rows.sort_by_key(|row| row.attention.is_empty());
    let needing = rows.iter().filter(|row| !row.attention.is_empty()).count();
    let (health, verdict) = match needing {
        0 => (Health::Good, format!("In order: {}.", count(all.len() as u64, "account"))),
        1 => (Health::Warning, format!("1 of {} needs somebody.", count(all.len() as u64, "account"))),
        n => (Health::Warning, format!("{n} of {} need somebody.", count(all.len() as u64, "account"))),
    };
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let total = rows.len();
    let rows: Vec<_> = rows.into_iter().skip(first).take(PAGE).collect();
    let pager = forms::pager("/review", first, rows.len(), total, PAGE);
    let frame = visit.frame_in("Account review", "Office", "/review").await?;
    Ok(draw(&Review { frame, verdict, health, rows, pager })?.into_response())
}

fn reviewed(portal: &Portal, user: &User) -> ReviewRow {
    let account = &user.account;
    let unused = users::unused_days(portal, user);
    let mut attention = Vec::new();
    if unused > users::limit(portal) {
        attention
            .push(format!("Not used for {}: disable it if it is not needed.", count(unused.unsigned_abs(), "day")));
    }
    if portal.accounts.check_training(user).is_err() {
        attention.push("Without current training: nothing is shown to them.".into());
    }
    if portal.access.accounts.second_factor_required && user.second_factor.is_none() {
        attention.push("No second factor is set up.".into());
    }
    if account.must_change_password {
        attention.push("The first password was not changed.".into());
    }
    ReviewRow {
        link: Link::new(account.full_name.clone(), format!("/users/{}", account.name)),
        role: words::title(account.role.as_str()),
        authorised: format!("{}, {}", account.authorised_by, words::day_time(account.authorised_at)),
        last_login: user.last_login.map_or_else(|| "never".into(), words::day_time),
        training: users::training(portal, user),
        attention,
    }
}
