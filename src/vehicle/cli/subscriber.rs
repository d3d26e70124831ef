//! `plated subscriber`: which programs may ask for alerts.

use super::ask::{Ask, local, print_json, priority, purpose, reason};
use super::say;
use crate::control::{Reply, Request};
use plated_access::{NewSubscriber, Purpose, Reason, SubscriberAccount};
use plated_core::error::Result;
use plated_core::record::Priority;
use plated_core::text::count;

/// Programs that may ask for alerts (CAD, the software of a mobile terminal): add, list, remove
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// Let a program ask for alerts, and show its token, once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated subscriber add cad --list svs --list local --purpose locate_vehicle --reason 'dispatch sees alerts'

The program asks the console's address for /subscribers/alerts with \"Authorization: Bearer TOKEN\". The token is
shown once and kept nowhere; for another one remove the program and add it again. Only root or an administrator
adds and removes programs. Who, when and why is on record, and so is each alert before it is given out.")]
struct AddArgs {
    /// The program's name on record
    #[arg(value_name = "NAME")]
    name: String,
    /// A list whose alerts it is given; can be given several times. A covert list never is
    #[arg(long, value_name = "NAME", required = true)]
    list: Vec<String>,
    /// Entries of state and federal lists (CLETS, NCIC) among those too
    #[arg(long)]
    clets: bool,
    /// Less urgent alerts are not given: low, normal or high
    #[arg(long, value_name = "PRIORITY", default_value = "normal", value_parser = priority)]
    priority: Priority,
    /// Which of the purposes that the agency authorises goes on record with each alert, e.g. locate_vehicle
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Reason,
    #[command(flatten)]
    ask: Ask,
}

/// List programs that may ask for alerts
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated subscriber list
  plated subscriber list --json")]
struct ListArgs {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

/// Let a program ask no more; its token opens nothing from then on
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  plated subscriber remove cad --reason 'the terminal was lost'")]
struct RemoveArgs {
    /// The program's name
    #[arg(value_name = "NAME")]
    name: String,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Reason,
    #[command(flatten)]
    ask: Ask,
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Add(args) => add(args),
        Command::List(args) => list(args),
        Command::Remove(args) => remove(args),
    }
}

fn add(args: &AddArgs) -> Result<()> {
    let subscriber = NewSubscriber {
        name: args.name.clone(),
        lists: args.list.iter().cloned().collect(),
        clets: args.clets,
        priority: args.priority,
        purpose: args.purpose.clone(),
    };
    let request = Request::AddSubscriber { subscriber, reason: args.reason.clone() };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::SubscriberAdded { subscriber, token } => {
            let SubscriberAccount { subscriber, .. } = *subscriber;
            let lists = count(subscriber.lists.len() as u64, "list");
            say(format_args!("Added {}, for {lists}. Its token, which is shown this once:", subscriber.name))?;
            say(format_args!("{}", token.text()))
        }
        _ => Ok(()),
    })
}

fn list(args: &ListArgs) -> Result<()> {
    args.ask.call(&Request::Subscribers, None, &mut |reply| match reply {
        Reply::Subscriber(program) if args.json => print_json(&program),
        Reply::Subscriber(program) => {
            let SubscriberAccount { subscriber, authorised_by, authorised_at } = *program;
            let lists: Vec<&str> = subscriber.lists.iter().map(String::as_str).collect();
            let clets = if subscriber.clets { ", state and federal entries too" } else { "" };
            let (name, lists) = (&subscriber.name, lists.join(", "));
            say(format_args!("{name:<16} {lists}{clets}; authorised by {authorised_by}, {}", local(authorised_at)))
        }
        _ => Ok(()),
    })
}

fn remove(args: &RemoveArgs) -> Result<()> {
    let request = Request::RemoveSubscriber { name: args.name.clone(), reason: args.reason.clone() };
    args.ask.call(&request, None, &mut |_| Ok(()))?;
    say(format_args!("{}: its token opens nothing any more.", args.name))
}
