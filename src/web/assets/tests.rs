use super::*;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use std::collections::HashMap;
use tower::ServiceExt;

async fn fetch(path: &str) -> Response {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    router::<()>().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_file_is_named_by_its_content_and_cached_for_ever() {
    for (name, kind, _) in SOURCES {
        let answer = fetch(url(name)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let hash = Sha256::of(&bytes).to_string();
        assert!(url(name).contains(&hash[..12]), "{} is not named by its content", url(name));
    }
}

#[tokio::test]
async fn a_file_of_another_version_is_not_found() {
    assert_eq!(fetch("/assets/app.000000000000.css").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(fetch("/assets/app.css").await.status(), StatusCode::NOT_FOUND);
}

#[test]
fn style_sheet_and_manifest_name_files_by_their_hashed_names() {
    let text = |name| String::from_utf8_lossy(&ASSETS.iter().find(|a| a.name == name).unwrap().bytes).into_owned();
    assert!(text("app.css").contains(url("plate.woff2")));
    let manifest: serde_json::Value = serde_json::from_str(&text("manifest.webmanifest")).unwrap();
    for icon in manifest["icons"].as_array().unwrap() {
        let src = icon["src"].as_str().unwrap();
        assert!(all().any(|(url, _)| url == src), "{src}");
    }
}

#[test]
fn styles_and_script_name_nothing_outside() {
    for (name, _, bytes) in SOURCES.iter().filter(|(name, ..)| name.ends_with("css") || name.ends_with("js")) {
        let text = std::str::from_utf8(bytes).unwrap();
        for outside in ["http://", "https://", "//cdn", "@import", "eval(", "data:"] {
            assert!(!text.contains(outside), "{name} contains {outside}");
        }
    }
}

/// Day and night colour of each token.
fn tokens() -> HashMap<String, [String; 2]> {
    let css = include_str!("app.css");
    let lines = css.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": light-dark("));
    lines
        .map(|(name, colours)| {
            let (day, night) = colours.trim_end_matches(");").split_once(", ").unwrap();
            (name.to_owned(), [day.to_owned(), night.to_owned()])
        })
        .collect()
}

/// Relative luminance of WCAG 2.2.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let v = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_computed_as_wcag_does() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
    assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.01);
}

/// Text on what it stands on: 4.5 to 1. Edges and icons that mean something: 3 to 1.
#[test]
fn every_text_and_edge_has_the_contrast_of_wcag_aa_by_day_and_by_night() {
    let text = [
        ("text", "ground surface raised accent-soft good-soft info-soft warn-soft bad-soft"),
        ("muted", "ground surface raised"),
        ("accent", "ground surface raised"),
        ("good", "ground surface good-soft"),
        ("info", "ground surface info-soft"),
        ("warn", "ground surface raised warn-soft bad-soft"),
        ("bad", "ground surface raised bad-soft"),
        ("on-accent", "accent-strong"),
        ("on-high", "high"),
        ("on-normal", "normal"),
        ("on-low", "low"),
        ("rail-text", "rail rail-current"),
        ("plate-text", "plate"),
        ("on-mark", "mark"),
    ];
    let edges = [
        ("line-strong", "ground surface raised"),
        ("accent", "surface"),
        ("bad", "surface"),
        ("muted", "surface"),
        ("plate-edge", "ground surface plate"),
        ("focus", "ground surface raised"),
    ];
    let tokens = tokens();
    let mut low = Vec::new();
    for (pairs, least) in [(&text[..], 4.5), (&edges[..], 3.0)] {
        for (front, backs) in pairs {
            for back in backs.split(' ') {
                for (i, theme) in ["day", "night"].iter().enumerate() {
                    let reached = contrast(&tokens[*front][i], &tokens[back][i]);
                    if reached < least {
                        low.push(format!("{front} on {back} by {theme}: {reached:.2}, needs {least}"));
                    }
                }
            }
        }
    }
    assert!(low.is_empty(), "{}", low.join("\n"));
}
