//! The questions of a setup, on a terminal.

use super::answers::{Answers, Named};
use super::camera;
use super::certificates::Certificates;
use crate::cli::{say, written};
use crate::config::Config;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::name::is_plain_name;
use plated_core::text::visible;
use plated_vision::capture::v4l2::list;
use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

/// Who is asked.
pub struct Dialog(());

impl Dialog {
    /// None where nobody is to be asked, or nobody is there.
    pub fn open(no_questions: bool) -> Option<Self> {
        (!no_questions && std::io::stdin().is_terminal()).then_some(Self(()))
    }

    /// Asks for what is not given. Nothing is written.
    pub fn complete(&mut self, answers: &mut Answers, before: Option<&Config>) -> Result<()> {
        say(format_args!("Enter keeps what stands in brackets. Nothing is written before the last question."))?;
        self.certificates(answers, before)?;
        if answers.vehicle.is_none() {
            let certified = answers.certificates.as_deref().and_then(|dir| Certificates::read(dir).ok()?.vehicle());
            let now =
                certified.or_else(|| before.map(|config| config.vehicle.clone())).unwrap_or_else(|| "unit-1".into());
            let name = self.ask_until("Name of the vehicle", &now, |name| match is_plain_name(name) {
                true => Ok(()),
                false => Err("use letters, digits, '-', '_' or '.'".into()),
            })?;
            answers.vehicle = Some(name);
        }
        if answers.cameras.is_empty() {
            self.cameras(answers, before)?;
        }
        if answers.lists.is_empty() {
            self.lists(answers, before)?;
        }
        if answers.user.is_none() {
            self.user(answers)?;
        }
        Ok(())
    }

    fn certificates(&mut self, answers: &mut Answers, before: Option<&Config>) -> Result<()> {
        let known = before.and_then(|config| config.transfer.as_ref());
        if answers.certificates.is_none() {
            let now = if known.is_some() { "as they are" } else { "none yet" };
            let question = "Folder with this vehicle's certificates, made by `plated-station vehicle issue`";
            let dir = self.ask_until(question, now, |dir| match dir == now {
                true => Ok(()),
                false => Certificates::read(Path::new(dir)).map(drop).map_err(|e| e.chain()),
            })?;
            answers.certificates = (dir != now).then(|| dir.into());
        }
        if answers.station.is_none() && (answers.certificates.is_some() || known.is_some()) {
            let now = known.map_or("https://localhost:8443", |transfer| transfer.station.as_str()).to_owned();
            let address = self.ask_until("Address of the station", &now, |address| {
                if address.starts_with("https://") { Ok(()) } else { Err("it begins with https://".into()) }
            })?;
            answers.station = (known.is_none() || address != now).then_some(address);
        }
        Ok(())
    }

    fn cameras(&mut self, answers: &mut Answers, before: Option<&Config>) -> Result<()> {
        if let Some(before) = before {
            let names: Vec<&str> = before.sources.iter().map(|source| &*source.name).collect();
            if self.yes(&format!("Cameras are {}. Keep them?", names.join(", ")))? {
                return Ok(());
            }
        }
        let found = list();
        match found.len() {
            0 => say(format_args!("No USB camera is plugged in."))?,
            _ => say(format_args!("USB cameras:"))?,
        }
        let usual = ["front", "rear", "left", "right"];
        let name_of =
            |taken: usize| usual.get(taken).map_or_else(|| format!("camera-{}", taken + 1), |n| (*n).to_owned());
        for listed in &found {
            let device = listed.names.first().unwrap_or(&listed.device).display().to_string();
            let model =
                listed.identity.as_ref().map_or_else(|| "a camera".to_owned(), |id| visible(&id.card).to_string());
            say(format_args!("{device}: {model}"))?;
            self.camera(answers, &device, &name_of(answers.cameras.len()))?;
        }
        loop {
            let none = if answers.cameras.is_empty() { "" } else { "no more" };
            let question = "Another camera: rtsp://…, http://…, a device, a video file or a folder of pictures";
            let address = self.ask(question, none)?;
            if address == none && !none.is_empty() {
                return Ok(());
            }
            if !address.is_empty() {
                self.camera(answers, &address, &name_of(answers.cameras.len()))?;
            }
        }
    }

    /// Shows a camera, and asks for its name.
    fn camera(&mut self, answers: &mut Answers, address: &str, name: &str) -> Result<()> {
        let mut named = Named { name: name.to_owned(), value: address.to_owned() };
        match camera::show(&named) {
            Ok(picture) => written(std::io::stdout().lock().write_all(picture.as_bytes()))?,
            Err(e) => say(format_args!("It gives no picture: {}", e.chain()))?,
        }
        if !self.yes("Use it?")? {
            return Ok(());
        }
        let taken: Vec<String> = answers.cameras.iter().map(|camera| camera.name.clone()).collect();
        named.name = self.ask_until("Its name", name, |name| match () {
            () if !is_plain_name(name) => Err("use letters, digits, '-', '_' or '.'".into()),
            () if taken.iter().any(|other| other == name) => Err("another camera has it".into()),
            () => Ok(()),
        })?;
        answers.cameras.push(named);
        Ok(())
    }

    fn lists(&mut self, answers: &mut Answers, before: Option<&Config>) -> Result<()> {
        let known = before.map_or(0, |config| config.hotlists.len());
        let now = if known == 0 { "none" } else { "as they are" };
        let file = self.ask_until("File of a hotlist (the station's come by themselves)", now, |file| {
            if file == now || Path::new(file).is_file() { Ok(()) } else { Err("there is no such file".into()) }
        })?;
        if file != now {
            let name = self.ask_until("Name of the list", "local", |name| match is_plain_name(name) {
                true => Ok(()),
                false => Err("use letters, digits, '-', '_' or '.'".into()),
            })?;
            let path = std::path::absolute(&file).context(Kind::Input, || format!("{file} is no path"))?;
            answers.lists.push(Named { name, value: path.display().to_string() });
        }
        Ok(())
    }

    fn user(&mut self, answers: &mut Answers) -> Result<()> {
        let user = self.ask("Login name of a first administrator", "none")?;
        if user == "none" {
            return Ok(());
        }
        let given = |text: &str| if text.is_empty() { Err("it goes on record".to_owned()) } else { Ok(()) };
        answers.full_name = Some(self.ask_until("Their full name", "", given)?);
        answers.agency = Some(self.ask_until("Their agency", "", given)?);
        answers.user = Some(user);
        Ok(())
    }

    /// The last question.
    ///
    /// # Errors
    /// `Refused` when the answer is no.
    pub fn confirm(&mut self, config: &Path) -> Result<()> {
        match self.yes(&format!("Write {}?", config.display()))? {
            true => Ok(()),
            false => Err(Error::new(Kind::Refused, "nothing was written")),
        }
    }

    fn yes(&mut self, question: &str) -> Result<bool> {
        let answer = self.ask_until(question, "yes", |answer| match is_yes(answer) {
            Some(_) => Ok(()),
            None => Err("answer yes or no".into()),
        })?;
        Ok(is_yes(&answer) == Some(true))
    }

    /// Asks until the answer will do.
    fn ask_until(&mut self, question: &str, now: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<String> {
        loop {
            let answer = self.ask(question, now)?;
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(why) => say(format_args!("{why}"))?,
            }
        }
    }

    /// The answer, or `now` where it is empty.
    fn ask(&mut self, question: impl Display, now: &str) -> Result<String> {
        let failed = || "could not ask on the terminal".to_owned();
        let mut out = std::io::stdout().lock();
        let now_shown = if now.is_empty() { String::new() } else { format!(" [{now}]") };
        write!(out, "{question}{now_shown}: ").and_then(|()| out.flush()).context(Kind::Input, failed)?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).context(Kind::Input, failed)? == 0 {
            return Err(Error::new(Kind::Input, "the setup was ended; nothing was written"));
        }
        let answer = line.trim();
        Ok(if answer.is_empty() { now.to_owned() } else { answer.to_owned() })
    }
}

fn is_yes(answer: &str) -> Option<bool> {
    match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}
