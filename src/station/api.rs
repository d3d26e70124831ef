//! The calls of vehicles and of downstream stations as an OpenAPI document: each call says in its own place what it
//! takes and answers, and the router is made of the same.

use plated_core::wire::Problem;
use utoipa::{IntoResponses, OpenApi, ToSchema};

/// Frame of the document; the calls are added where they are routed.
#[derive(OpenApi)]
#[openapi(info(
    title = "plated-station",
    description = "Calls of vehicles to their station, over mutual TLS: the client certificate names a vehicle of the \
                   station's register. Every answer that is not a success carries a Problem; 503 and 429 say in \
                   Retry-After when to come again. The station's pages for people are no part of this."
))]
pub(super) struct Document;

/// What any call may answer that is not a success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a shape of the document; answers are made by `Failure`")]
pub(super) enum Problems {
    /// The request can't be taken as it is: the text says what to do
    #[response(status = "4XX")]
    Request(#[to_schema] Problem),
    /// The station can't take it now: send it again later
    #[response(status = "5XX")]
    Station(#[to_schema] Problem),
}

/// The bytes of a batch.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "a shape of the document; a batch is read as it comes")]
pub(super) struct BatchBytes(Vec<u8>);

/// The bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "a shape of the document; a file is sent as it is read")]
pub(super) struct FileBytes(Vec<u8>);

/// The document in JSON.
pub fn document() -> String {
    let (_, api) = super::http::calls().split_for_parts();
    let mut text = api.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
