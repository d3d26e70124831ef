//! A chart of bars as SVG: counts over time.

/// A chart of bars, from 0 up.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// What it says, in a sentence: for who can't see it.
    pub summary: String,
    /// Label and value of each bar, from the left.
    pub values: Vec<(String, u64)>,
}

/// A bar in the drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What it is of, and its value.
    pub title: String,
}

/// A line of the grid, or a label along the bottom.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Place along its axis.
    pub at: f64,
    /// What stands there.
    pub label: String,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
/// Room for labels at the left and the bottom.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;
/// Most labels along the bottom, and lines across.
const MAX_LABELS: usize = 8;
const STEPS: u64 = 4;

impl Bars {
    /// Size of the drawing, for its `viewBox`.
    pub fn view_box(&self) -> String {
        format!("0 0 {WIDTH} {HEIGHT}")
    }

    /// Left and right end of the grid's lines.
    pub fn span(&self) -> (f64, f64) {
        (LEFT, WIDTH - RIGHT)
    }

    /// Where the labels along the bottom stand.
    pub fn label_y(&self) -> f64 {
        HEIGHT - 10.0
    }

    /// The highest line of the grid: a round number not below any value.
    fn top(&self) -> u64 {
        let most = self.values.iter().map(|(_, value)| *value).max().unwrap_or(0).max(STEPS);
        let mut unit = 1;
        loop {
            for step in [1, 2, 5] {
                if let Some(top) = step_of(step, unit).filter(|top| *top >= most) {
                    return top;
                }
            }
            match u64::checked_mul(unit, 10) {
                Some(next) => unit = next,
                None => return most,
            }
        }
    }

    fn y(&self, value: u64) -> f64 {
        round(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value as f64 / self.top() as f64))
    }

    /// Room of one bar with its gap.
    fn slot(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.values.len().max(1) as f64
    }

    /// Lines across, from the bottom.
    pub fn across(&self) -> Vec<Tick> {
        let step = self.top() / STEPS;
        (0..=STEPS).map(|n| Tick { at: self.y(n * step), label: short(n * step) }).collect()
    }

    /// Labels along the bottom: all, or every so manieth.
    pub fn along(&self) -> Vec<Tick> {
        let step = self.values.len().div_ceil(MAX_LABELS).max(1);
        let middle = |n: usize| round(LEFT + self.slot() * (n as f64 + 0.5));
        let labels = self.values.iter().enumerate().step_by(step);
        labels.map(|(n, (label, _))| Tick { at: middle(n), label: label.clone() }).collect()
    }

    /// The bars.
    pub fn bars(&self) -> Vec<Bar> {
        let slot = self.slot();
        let gap = (slot * 0.2).min(6.0);
        let bar = |(n, (label, value)): (usize, &(String, u64))| Bar {
            x: round(LEFT + slot * n as f64 + gap / 2.0),
            y: self.y(*value),
            width: round((slot - gap).max(0.5)),
            height: round(HEIGHT - BOTTOM - self.y(*value)),
            title: format!("{label}: {value}"),
        };
        self.values.iter().enumerate().map(bar).collect()
    }
}

fn step_of(step: u64, unit: u64) -> Option<u64> {
    step.checked_mul(unit)?.checked_mul(STEPS)
}

/// `1500` as `1.5 k`, so that it fits beside the grid.
fn short(value: u64) -> String {
    match value {
        0..1_000 => value.to_string(),
        1_000..1_000_000 => format!("{} k", value as f64 / 1e3),
        _ => format!("{} M", value as f64 / 1e6),
    }
}

fn round(v: f64) -> f64 {
    (v * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_grid_ends_at_a_round_number_above_all_bars() {
        let bars = |values: &[u64]| Bars {
            summary: String::new(),
            values: values.iter().map(|value| ("1 Nov".to_owned(), *value)).collect(),
        };
        for (values, top) in [(&[][..], 4), (&[0, 0], 4), (&[5], 8), (&[13, 7], 20), (&[18_204], 20_000)] {
            let labels: Vec<_> = bars(values).across().into_iter().map(|tick| tick.label).collect();
            assert_eq!(labels.last().unwrap(), &short(top), "{values:?}");
        }
        assert_eq!(short(1_500), "1.5 k");
    }

    proptest! {
        #[test]
        fn every_bar_stays_inside_the_drawing(values in proptest::collection::vec(any::<u64>(), 0..400)) {
            let bars = Bars {
                summary: String::new(),
                values: values.into_iter().map(|value| (String::new(), value)).collect(),
            };
            for bar in bars.bars() {
                prop_assert!(bar.x >= LEFT && bar.x + bar.width <= WIDTH + 1.0 && bar.y >= TOP - 0.1 && bar.height >= 0.0);
            }
            prop_assert!(bars.along().len() <= MAX_LABELS);
        }
    }
}
