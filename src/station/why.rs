//! Why somebody looks, on a command line: reason, purpose and case, which go on record (controls P-01, P-02 and P-21).

use crate::archive::Engine;
use crate::{StationConfig, purging};
use plated_access::{Actor, Case, Gate, Permit, Purpose, Reason, Recorded};
use plated_core::clock::SystemClock;
use plated_core::error::{Error, Kind, Result};
use serde_json::Value;
use std::sync::Arc;

/// Reason, purpose and case of a look.
#[derive(Debug, clap::Args)]
pub struct Why {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Reason,
    /// Which of the purposes that the agency authorises, e.g. locate_vehicle
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    /// Number of the case
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true, value_parser = case)]
    case: Case,
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::new(text).map_err(|e| e.to_string())
}

fn purpose(text: &str) -> Result<Purpose, String> {
    Purpose::new(text).map_err(|e| e.to_string())
}

fn case(text: &str) -> Result<Case, String> {
    Case::new(text).map_err(|e| e.to_string())
}

impl Why {
    /// The reason, with its purpose.
    pub fn reason(&self) -> Reason {
        self.reason.clone().for_purpose(self.purpose.clone())
    }

    /// The number of the case.
    ///
    /// # Errors
    /// When none is given.
    pub fn case(&self) -> Result<&str> {
        match self.case.as_str() {
            "" => Err(Error::new(Kind::Input, "give the number of the case with --case")),
            case => Ok(case),
        }
    }

    /// Lets this user see `subject`, once that is on record; with the gate that also notes what is shown.
    ///
    /// # Errors
    /// As of [`Gate::open`].
    pub fn open<P: Recorded>(
        &self,
        config: &StationConfig,
        archive: &dyn Engine,
        subject: Value,
    ) -> Result<(Gate, Permit<P>)> {
        let gate = purging::gate(archive, &config.access, Arc::new(SystemClock::new()))?;
        let permit = gate.open(&Actor::of_this_process(), &self.reason(), &self.case, subject)?;
        Ok((gate, permit))
    }
}
