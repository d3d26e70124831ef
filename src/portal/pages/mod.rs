//! Pages that each program with logins has.

pub(crate) mod login;
pub mod account;
mod second_factor;
pub mod users;
mod review;

use crate::house::Site;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes<Site>) -> Routes<Site> {
    review::routes(users::routes(second_factor::routes(account::routes(login::routes(routes)))))
}
