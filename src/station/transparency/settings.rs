//! `[pages.policy.published]`: what everybody is shown beside the policy.

use serde::Deserialize;

/// What everybody is shown, without a login. Nothing of it names a plate or a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Published {
    /// Figures by month.
    pub figures: bool,
    /// The audit log, redacted, made anew each day.
    pub audit_log: bool,
    /// Certificates of deletion.
    pub deletions: bool,
}

impl Published {
    /// Whether there is anything.
    pub fn any(self) -> bool {
        self.figures || self.audit_log || self.deletions
    }
}
