//! The public policy page (control P-24): what the agency does with license plates, for everybody.

use super::site::{Routes, Visit};
use crate::archive::Class;
use axum::response::{IntoResponse, Response};
use plated_core::text::count;
use plated_portal::{Needs, draw};
use plated_web::Frame;
use plated_web::pages::{PolicyPage, Shape};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Link};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/policy", Needs::Nobody, page)
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let (station, access) = (&visit.station, &visit.portal().access);
    let policy = &station.settings.policy;
    let given = |text: &str| if text.is_empty() { "Not named yet".to_owned() } else { text.to_owned() };
    let kept = |class: Class, name: &str| {
        let minutes = station.retention.no_hit_minutes.filter(|_| class == Class::NoHit);
        let time = minutes.map_or_else(
            || count(station.retention.days(class).into(), "day"),
            |minutes| count(minutes.into(), "minute"),
        );
        Fact::new(name, time)
    };
    let page = PolicyPage {
        frame: Frame { shape: Shape::Full, ..visit.alone("License plate readers: usage and privacy") },
        who: vec![
            Fact::new("Agency", given(&policy.agency)),
            Fact::new("Official custodian", given(&policy.custodian)),
            Fact::new("Administrator", given(&policy.administrator)),
        ],
        purposes: access.purposes.iter().map(|purpose| purpose.text.clone()).collect(),
        retention: vec![
            kept(Class::NoHit, "Reads"),
            kept(Class::Hit, "Reads with a hit"),
            kept(Class::Canvass, "Reads of a canvass"),
            kept(Class::FixedSite, "Reads of fixed sites"),
        ],
        access: vec![
            "Every person has a login of their own, current training, and a role that says what they may see.".into(),
            "Every look names a purpose from the list above, and is recorded before anything is shown.".into(),
            "The records of access can't be changed without notice, outlive the data, and are audited.".into(),
        ],
        sharing: policy.sharing.clone(),
        figures: policy.published.any().then(|| Link::new("Figures and proofs", super::transparency::PAGE)),
        document: policy.document.clone(),
    };
    Ok(draw(&page)?.into_response())
}
