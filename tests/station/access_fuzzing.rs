//! No bytes panic as accounts, as an audit log, or where somebody logs in.

use crate::access_entry_points;
use crate::kit::corpus;

#[test]
fn no_bytes_panic_as_accounts_as_an_audit_log_or_where_somebody_logs_in() {
    for (target, run) in access_entry_points::TARGETS {
        corpus::run(target, run, 300);
    }
}
