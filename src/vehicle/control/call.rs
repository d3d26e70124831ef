//! A request and in whose session it is made.

use super::{Request, Secret};
use serde::{Deserialize, Serialize};

/// A request and in whose session it is made, as on the socket: the object of the request, with
/// `"session"` beside `"do"` when there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Token of the session; none when nobody is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Secret>,
    /// What is asked for.
    #[serde(flatten)]
    pub request: Request,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_stands_beside_the_request_and_any_other_key_is_refused() {
        let call: Call = serde_json::from_str(r#"{"session":"ab12","do":"remove","id":3,"reason":"over"}"#).unwrap();
        assert_eq!(call.session.as_ref().map(Secret::text), Some("ab12"));
        assert!(matches!(call.request, Request::Remove { id: 3, .. }));
        assert!(!format!("{call:?}").contains("ab12"));
        let alone: Call = serde_json::from_str(r#"{"do":"status"}"#).unwrap();
        assert_eq!(
            (alone.session.is_none(), serde_json::to_string(&alone).unwrap().as_str()),
            (true, r#"{"do":"status"}"#)
        );
        for wrong in [r#"{"do":"remove","id":3,"reason":"over","as":"root"}"#, r#"{"session":7,"do":"status"}"#] {
            assert!(serde_json::from_str::<Call>(wrong).is_err(), "{wrong}");
        }
    }
}
