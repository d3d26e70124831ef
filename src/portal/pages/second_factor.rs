//! One's own second factor (control P-20): the secret, once, as text and as a picture; then the recovery codes.

use crate::house::Site;
use crate::routes::{Needs, Routes};
use crate::visit::Visit;
use crate::{blocking, draw, words};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::{Due, Enrolment, LoginRefused, Password};
use plated_core::error::Error;
use plated_core::text::sentence;
use plated_web::fields::Fields;
use plated_web::pages::{Enrol, Login, RecoveryCodes};
use plated_web::problem::Problem;
use plated_web::qr::Qr;
use plated_web::ui::{Field, Health, Input, Link, Message};

pub fn routes(routes: Routes<Site>) -> Routes<Site> {
    routes
        .get("/account/second-factor", Needs::Own, begin_page)
        .post("/account/second-factor", Needs::Own, begin)
        .post("/account/second-factor/code", Needs::Own, confirm)
        .post("/account/recovery-codes", Needs::Own, renew)
}

async fn begin_page(visit: Visit) -> Result<Response, Problem> {
    ask_password(&visit, "")
}

fn ask_password(visit: &Visit, error: &str) -> Result<Response, Problem> {
    let password = Field::new(Input::Password, "factor-password", "Password now")
        .autocomplete("current-password")
        .required()
        .focused()
        .error(error);
    let mut form = visit.form("/account/second-factor", "Go on");
    form.fields = vec![password];
    let notice = match visit.visitor()?.session.due {
        Some(Due::SecondFactor) => {
            "Your agency asks for a second factor. Have the authenticator app of your phone ready."
        }
        _ => "Have the authenticator app of your phone ready.",
    };
    let page =
        draw(&Login { frame: visit.alone("Set up a second factor"), form, notice: notice.into(), ..Login::default() })?;
    Ok((if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, page).into_response())
}

async fn begin(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (accounts, token) = (visit.portal().accounts.clone(), visit.visitor()?.token.clone());
    let password = Password::new(fields.get("factor-password"));
    match blocking(move || Ok(accounts.begin_second_factor(&token, &password))).await? {
        Ok(enrolment) => enrol_page(&visit, &enrolment),
        Err(LoginRefused::Credentials) => ask_password(&visit, "The password is wrong."),
        Err(refused @ LoginRefused::Locked(_)) => {
            ask_password(&visit, &sentence(&words::capital(&refused.to_string())))
        }
        Err(other) => Err(Error::from(other).into()),
    }
}

fn code_form(visit: &Visit, error: &str) -> plated_web::ui::Form {
    let code = Field::new(Input::Code, "code", "Code that the app shows now").max(8).required().error(error);
    let mut form = visit.form("/account/second-factor/code", "Confirm");
    form.fields = vec![code];
    form.cancel = Some(Link::new("Back", "/account"));
    form
}

fn enrol_page(visit: &Visit, enrolment: &Enrolment) -> Result<Response, Problem> {
    let secret: Vec<_> = enrolment.secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    let page = Enrol {
        frame: visit.alone("Set up a second factor"),
        qr: Qr::of(&enrolment.url)?,
        secret: secret.join(" "),
        form: code_form(visit, ""),
    };
    Ok(draw(&page)?.into_response())
}

async fn confirm(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (accounts, token) = (visit.portal().accounts.clone(), visit.visitor()?.token.clone());
    let code = fields.get("code").to_owned();
    match blocking(move || Ok(accounts.confirm_second_factor(&token, &code))).await? {
        Ok(codes) => codes_page(&visit, codes),
        Err(LoginRefused::Code(why)) => {
            // The secret was shown once; a wrong code does not make another one.
            let error = sentence(&words::capital(&why.to_string()));
            let notice = "The secret in your app is still the right one.".to_owned();
            let form = code_form(&visit, &error);
            let page = draw(&Login { frame: visit.alone("Set up a second factor"), form, notice, ..Login::default() })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(other) => Err(Error::from(other).into()),
    }
}

fn codes_page(visit: &Visit, codes: Vec<String>) -> Result<Response, Problem> {
    let mut frame = visit.alone("Your recovery codes");
    frame.messages.push(Message { health: Health::Good, text: "Your second factor counts from now on.".into() });
    let page = RecoveryCodes { frame, codes, next: Link::new("I have kept them", "/") };
    Ok(draw(&page)?.into_response())
}

async fn renew(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (accounts, token) = (visit.portal().accounts.clone(), visit.visitor()?.token.clone());
    let password = Password::new(fields.get("codes-password"));
    match blocking(move || Ok(accounts.renew_recovery_codes(&token, &password))).await? {
        Ok(codes) => codes_page(&visit, codes),
        Err(LoginRefused::Credentials) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "The password is wrong.", "Go back and give it again."))
        }
        Err(other) => Err(Error::from(other).into()),
    }
}
