//! What holds for every page. The pages are those of the gallery, with made-up data.

#[path = "../gallery/samples/mod.rs"]
mod samples;

use super::*;
use crate::html::MAX_SHOWN;
use crate::plate::{Pair, Plate};
use crate::ui::{Field, Form, Input};
use askama::Template;

/// The opening tags of a page, with what stands in them. Enough for pages that we write ourselves: no
/// template has `>` in an attribute, and values are escaped.
fn tags(html: &str) -> Vec<&str> {
    let starts = html.match_indices('<').map(|(at, _)| &html[at + 1..]);
    starts
        .filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|tag| tag.split('>').next())
        .collect()
}

fn name(tag: &str) -> &str {
    tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default()
}

/// The value of an attribute.
fn attribute<'a>(tag: &'a str, attribute: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {attribute}=\""))? + attribute.len() + 3;
    tag[start..].split('"').next()
}

fn each(mut check: impl FnMut(&str, &str)) {
    for (page, html) in samples::pages().unwrap() {
        check(page, &html);
    }
}

#[test]
fn every_page_has_one_first_heading_one_main_part_and_a_title() {
    each(|page, html| {
        for (tag, times) in [("h1", 1), ("main", 1), ("title", 1)] {
            let found = tags(html).iter().filter(|t| name(t) == tag).count();
            // Icons of the chart have titles of their own.
            assert!(found == times || tag == "title" && found > times, "{page} has {found} of {tag}");
        }
        assert!(html.trim_start().starts_with("<!DOCTYPE html>"), "{page}");
        assert!(!html.contains("<title> ·"), "{page} has no title");
    });
}

#[test]
fn every_input_has_a_label_and_every_id_is_there_once() {
    each(|page, html| {
        let tags = tags(html);
        let labels: Vec<_> = tags.iter().filter(|t| name(t) == "label").filter_map(|t| attribute(t, "for")).collect();
        for tag in &tags {
            if !matches!(name(tag), "input" | "select" | "textarea") || attribute(tag, "type") == Some("hidden") {
                continue;
            }
            // A radio button stands inside its label.
            let labelled = attribute(tag, "id").is_some_and(|id| labels.contains(&id));
            assert!(labelled || attribute(tag, "type") == Some("radio"), "{page}: no label for <{tag}>");
        }
        let mut ids: Vec<_> = tags.iter().filter_map(|t| attribute(t, "id")).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{page} has an id twice");
        for described in tags.iter().filter_map(|t| attribute(t, "aria-describedby")).flat_map(|d| d.split(' ')) {
            assert!(ids.contains(&described), "{page}: nothing has the id {described}");
        }
    });
}

#[test]
fn no_page_has_inline_style_or_script_or_names_anything_outside() {
    // But for the agency's own document, which a reader of the public policy may follow.
    let document = r#"<a class="button" href="https://www.example.gov/policy-431.pdf">"#;
    each(|page, html| {
        let html = &if page == "policy" { html.replace(document, "<a>") } else { html.to_owned() };
        for tag in tags(html) {
            assert_ne!(name(tag), "style", "{page}");
            assert!(name(tag) != "script" || attribute(tag, "src").is_some(), "{page}: inline script");
            for pair in tag.split_whitespace() {
                let key = pair.split('=').next().unwrap_or_default();
                assert!(key != "style" && !(key.starts_with("on") && pair.contains("=\"")), "{page}: <{tag}>");
            }
            for address in ["href", "src", "action", "data-events"].iter().filter_map(|a| attribute(tag, a)) {
                assert!(
                    address.starts_with('/') && !address.starts_with("//") || address.starts_with('#'),
                    "{page}: {address}"
                );
            }
        }
        assert!(!html.contains("http://") && !html.contains("https://"), "{page}");
        assert!(!html.contains("/assets/missing"), "{page} names a file that is not there");
    });
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    each(|page, html| {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let has_token = form.contains("name=\"csrf\" value=\"0123456789abcdef\"");
            assert_eq!(form.contains("method=\"post\""), has_token, "{page}: {form}");
        }
    });
}

#[test]
fn every_picture_says_what_it_shows_and_takes_its_place_before_it_comes() {
    each(|page, html| {
        for tag in tags(html).iter().filter(|t| name(t) == "img") {
            assert!(attribute(tag, "alt").is_some_and(|alt| !alt.is_empty()), "{page}: <{tag}>");
            assert!(attribute(tag, "width").is_some() && attribute(tag, "height").is_some(), "{page}: <{tag}>");
        }
    });
}

// policy: P-06
#[test]
fn no_alert_is_called_confirmed_before_the_officer_has_compared_it() {
    for card in samples::alerts() {
        let html = AlertPart { card }.render().unwrap().to_lowercase();
        assert!(!html.contains("confirmed"));
        assert!(html.contains("unverified lead"));
    }
}

// policy: P-06
#[test]
fn an_alert_shows_read_and_list_side_by_side_with_all_that_is_known() {
    let card = samples::alerts().remove(0);
    let html = AlertPart { card }.render().unwrap();
    for part in [
        "Plate as the camera saw it",
        "Vehicle as the camera saw it",
        "6 K letter O J 3 1 8, state CA",
        "6 K zero J 3 1 8, state CA",
        "Place 3: letter O was read, the list has digit 0",
        "SVS, 2 h old",
        "3 days ago",
        "2014 Honda Accord",
        "1HGCR2F38EA123456",
        "26-048113",
        "Stolen vehicle",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    assert_eq!(html.matches("<mark>").count(), 2, "the differing character, in both plates");
}

#[test]
fn usual_data_is_shown_without_any_escape() {
    each(|page, html| assert!(!html.contains(r"\u{"), "{page}"));
}

// policy: P-06
#[test]
fn a_second_press_on_the_same_key_or_place_never_confirms() {
    let card = samples::alerts().remove(0);
    let first = card.answers().iter().position(|a| a.value == "correct").unwrap();
    let key = card.answers()[first].key;
    let asked = AlertCard { step: Step::Dispatch, ..card };
    assert_ne!(asked.answers()[first].value, "confirmed");
    assert_ne!(asked.answers().iter().find(|a| a.value == "confirmed").unwrap().key, key);
}

// policy: P-06
#[test]
fn an_alert_of_another_state_says_so() {
    let html = AlertPart { card: samples::alerts().remove(2) }.render().unwrap();
    assert!(html.contains("The states differ: CA was read, the list has NV"));
}

#[test]
fn what_a_list_brings_can_neither_script_nor_turn_nor_flood_a_page() {
    let odd = format!("<script>alert(1)</script>\u{202e}'\"{}", "x".repeat(1 << 20));
    let mut card = samples::alerts().remove(1);
    for text in
        [&mut card.category, &mut card.camera, &mut card.place, &mut card.matched, &mut card.list, &mut card.remark]
    {
        text.clone_from(&odd);
    }
    for fact in &mut card.facts {
        (fact.name, fact.value) = (odd.clone(), odd.clone());
    }
    card.pair = Pair::new(&odd, &odd, &odd, &odd);
    let html = AlertPart { card }.render().unwrap();
    assert!(!html.contains("<script") && !html.contains('\u{202e}'));
    assert!(html.contains("&#60;script&#62;"));
    assert!(html.len() < 40 * MAX_SHOWN, "{}", html.len());
    assert!(tags(&html).iter().all(|t| attribute(t, "onload").is_none()));
}

#[test]
fn what_somebody_entered_comes_back_as_text() {
    let form = Form {
        csrf: "t".into(),
        fields: vec![
            Field::new(Input::Text, "name", "Name").value("\"><img src=x onerror=alert(1)>").error("<b>no</b>"),
            Field::new(Input::Lines, "reason", "Reason").value("</textarea><script>"),
        ],
        ..Form::default()
    };
    let html = Login { form, ..Login::default() }.render().unwrap();
    assert!(!html.contains("<img") && !html.contains("<b>no") && !html.contains("</textarea><script"));
}

#[test]
fn an_error_stands_at_its_field_and_in_the_summary() {
    let (_, html) = samples::pages().unwrap().into_iter().find(|(page, _)| *page == "entries-wrong").unwrap();
    assert!(html.contains("<a href=\"#plate\">Plate or partial plate</a>"));
    assert!(html.contains("aria-describedby=\"plate-error plate-hint\""));
    assert!(html.contains("aria-invalid=\"true\""));
}

#[test]
fn low_and_normal_alerts_can_be_muted_and_high_ones_never() {
    for card in samples::alerts() {
        let high = card.urgency.class() == "high";
        assert_eq!(AlertPart { card }.render().unwrap().contains("data-mutable"), !high);
    }
}

#[test]
fn priority_is_a_word_and_a_shape_not_only_a_colour() {
    for card in samples::alerts() {
        let urgency = card.urgency;
        let html = AlertPart { card }.render().unwrap();
        assert!(html.contains(&format!("href=\"#i-{}\"", urgency.class())) && html.contains(urgency.word()));
    }
}

#[test]
fn every_icon_that_a_page_names_is_drawn() {
    let sprite = include_str!("../templates/icons.html");
    each(|page, html| {
        for icon in html.split("href=\"#i-").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(sprite.contains(&format!("id=\"i-{icon}\"")), "{page}: no icon {icon}");
        }
    });
}

#[test]
fn a_part_that_an_event_brings_is_one_element_with_an_id() {
    let row = samples::reads().remove(0);
    let html = ReadPart { read: row }.render().unwrap();
    assert_eq!(attribute(tags(&html)[0], "id"), Some("read-14"));
    assert_eq!(attribute(tags(&html)[0], "data-into"), Some("reads"));
    let html = CameraPart { camera: samples::cameras().remove(0) }.render().unwrap();
    assert_eq!(attribute(tags(&html)[0], "id"), Some("camera-front-right"));
    let html = StatusPart { status: samples::status_line() }.render().unwrap();
    assert_eq!(attribute(tags(&html)[0], "id"), Some("status"));
}

#[test]
fn a_page_without_live_events_says_nothing_of_them() {
    let page = Live {
        frame: Frame { events: String::new(), ..samples::frame("Live reads", "Live") },
        reads: Vec::new(),
        cameras: Vec::new(),
    };
    let html = page.render().unwrap();
    assert!(!html.contains("data-events") && !html.contains("<dialog"));
}

#[test]
fn a_plate_is_spoken_so_that_zero_and_o_differ() {
    let mut page = samples::reads();
    page[0].plate = Plate::new("O0", "CA");
    let html = ReadPart { read: page.remove(0) }.render().unwrap();
    assert!(html.contains("aria-label=\"letter O zero, state CA\""));
}
