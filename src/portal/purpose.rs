//! Purpose and case as they are given (controls P-01, P-02).

use plated_access::{Case, Purpose, Settings};
use plated_web::fields::Fields;
use plated_web::ui::{Field, Input};

/// Purpose and case as they were given, and what is wrong with them.
#[derive(Default)]
pub struct Given {
    purpose: String,
    case: String,
    purpose_error: String,
    case_error: String,
}

impl Given {
    /// What a form brought.
    pub fn of(fields: &Fields) -> Self {
        Self { purpose: fields.get("purpose").into(), case: fields.get("case").into(), ..Self::default() }
    }

    /// What a form brought: an authorised purpose and a case, or what is wrong.
    ///
    /// # Errors
    /// The form, with that in it.
    pub fn read(access: &Settings, fields: &Fields) -> Result<(Purpose, Case), Self> {
        let mut given = Self::of(fields);
        let purpose = access.purposes.iter().find(|p| p.name.as_str() == given.purpose).map(|p| p.name.clone());
        if purpose.is_none() {
            given.purpose_error = "Choose one: without an authorised purpose nothing is shown.".into();
        }
        let case = Case::new(&given.case);
        match &case {
            Err(e) => given.case_error = e.to_string(),
            Ok(case) if access.case_required && case.as_str().is_empty() => {
                given.case_error = "Give the number: your agency asks for one.".into();
            }
            Ok(_) => {}
        }
        match (purpose, case) {
            (Some(purpose), Ok(case)) if given.case_error.is_empty() => Ok((purpose, case)),
            _ => Err(given),
        }
    }

    /// The fields that ask for them.
    pub fn fields(&self, access: &Settings) -> Vec<Field> {
        let choices = access.purposes.iter().map(|p| (p.name.as_str(), p.text.as_str()));
        let purpose = Field::new(Input::Radio, "purpose", "Purpose").required().choices(choices);
        let case = Field::new(Input::Text, "case", "Case or incident number").max(64);
        let case = match access.case_required {
            true => case.required().hint("Your agency asks for one"),
            false => case,
        };
        vec![
            purpose.value(&*self.purpose).error(&*self.purpose_error),
            case.value(&*self.case).error(&*self.case_error),
        ]
    }
}

impl Given {
    /// With this purpose chosen.
    pub fn for_purpose(purpose: Option<&Purpose>) -> Self {
        Self { purpose: purpose.map_or("", Purpose::as_str).to_owned(), ..Self::default() }
    }
}
