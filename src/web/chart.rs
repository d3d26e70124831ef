//! A line chart as SVG: percentages over tests.

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it shows.
    pub name: String,
    /// Values from 0 to 1, one a label of the chart; none where there is no value.
    pub values: Vec<Option<f64>>,
}

/// A chart of a few lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it says, in a sentence: for who can't see it.
    pub summary: String,
    /// Along the bottom.
    pub labels: Vec<String>,
    /// Lines; at most four can be told apart.
    pub series: Vec<Series>,
}

/// A place in the drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// The value in words.
    pub value: String,
}

/// A line of the grid with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Place along its axis.
    pub at: f64,
    /// What stands there.
    pub label: String,
}

/// Size of the drawing.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
/// Room for labels at the left, right, top and bottom.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;
/// Most labels along the bottom.
const MAX_LABELS: usize = 8;

impl Chart {
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

    /// The lowest value that is shown: a round one below all.
    fn floor(&self) -> f64 {
        let values = self.series.iter().flat_map(|s| s.values.iter().flatten());
        let lowest = values.copied().filter(|v| v.is_finite()).fold(1.0, f64::min);
        ((lowest * 10.0 - 0.25).floor() / 10.0).clamp(0.0, 0.9)
    }

    fn x(&self, i: usize) -> f64 {
        let room = WIDTH - LEFT - RIGHT - 40.0;
        round(LEFT + 20.0 + room * i as f64 / (self.labels.len().max(2) - 1) as f64)
    }

    fn y(&self, value: f64) -> f64 {
        let floor = self.floor();
        round(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (value.clamp(floor, 1.0) - floor) / (1.0 - floor)))
    }

    /// Lines across, from the bottom.
    pub fn across(&self) -> Vec<Tick> {
        let floor = self.floor();
        let steps = ((1.0 - floor) * 10.0).round() as u32;
        let step = if steps > 5 { 2 } else { 1 };
        (0..=steps)
            .step_by(step)
            .map(|i| floor + f64::from(i) / 10.0)
            .map(|v| Tick { at: self.y(v), label: format!("{:.0} %", v * 100.0) })
            .collect()
    }

    /// Labels along the bottom: all, or every so manieth.
    pub fn along(&self) -> Vec<Tick> {
        let step = self.labels.len().div_ceil(MAX_LABELS).max(1);
        let labels = self.labels.iter().enumerate().step_by(step);
        labels.map(|(i, label)| Tick { at: self.x(i), label: label.clone() }).collect()
    }

    /// The points of a line.
    pub fn points(&self, series: &Series) -> Vec<Point> {
        let values = series.values.iter().take(self.labels.len()).enumerate();
        values
            .filter_map(|(i, v)| v.filter(|v| v.is_finite()).map(|v| (i, v)))
            .map(|(i, v)| Point { x: self.x(i), y: self.y(v), value: format!("{:.1} %", v * 100.0) })
            .collect()
    }

    /// The line itself, as SVG's `points`.
    pub fn line(&self, series: &Series) -> String {
        self.points(series).iter().map(|p| format!("{},{}", p.x, p.y)).collect::<Vec<_>>().join(" ")
    }
}

fn round(v: f64) -> f64 {
    (v * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_stays_inside_its_drawing_whatever_the_values_are() {
        let values = vec![Some(0.999), Some(-3.0), None, Some(f64::NAN), Some(7.0), Some(0.42)];
        let labels = values.iter().map(|_| "1 Nov".to_owned()).collect();
        let series = Series { name: "Capture rate".into(), values };
        let chart = Chart { summary: String::new(), labels, series: vec![series.clone()] };
        let points = chart.points(&series);
        assert_eq!(points.len(), 4, "no value, no point");
        assert!(points.iter().all(|p| p.x >= LEFT && p.x <= WIDTH && p.y >= TOP && p.y <= HEIGHT - BOTTOM));
        assert!(chart.along().len() <= MAX_LABELS);
    }

    #[test]
    fn one_test_alone_is_a_point() {
        let series = Series { name: "End to end".into(), values: vec![Some(0.97)] };
        let chart = Chart { summary: String::new(), labels: vec!["today".into()], series: vec![series.clone()] };
        assert_eq!(chart.points(&series).len(), 1);
        assert_eq!(chart.across().last().unwrap().label, "100 %");
    }
}
