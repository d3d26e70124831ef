//! A small map as SVG, without tiles from outside: where reads and hits were made, and the vehicle's way, with
//! north and a scale.

/// Size of the drawing.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Room around the places; the scale stands in the lower left of it.
const MARGIN: f64 = 56.0;
/// What is shown is at least so wide and high, in metres: one place alone is no speck on a plain.
const MIN_EXTENT_M: f64 = 120.0;
/// The longest bar of the scale.
const MAX_BAR: f64 = 170.0;
/// Places and corners of the way that are drawn; of more, every so manieth, the last always.
pub const MAX_PLACES: usize = 500;
/// A degree of latitude in metres.
const DEGREE_M: f64 = 111_195.0;
const FOOT_M: f64 = 0.3048;
const MILE_M: f64 = 1609.344;

/// What was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// A read.
    #[default]
    Read,
    /// A read with a hit.
    Hit,
}

/// A place on the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Degrees north, WGS 84.
    pub lat: f64,
    /// Degrees east, WGS 84.
    pub lon: f64,
    /// Where the vehicle was going, degrees from north.
    pub heading: Option<f64>,
    /// What was there.
    pub mark: Mark,
    /// What it is, in a few words: `6KOJ318, 21:04`. Shown when the pointer rests on it.
    pub label: String,
    /// The one that the page is about.
    pub focus: bool,
}

/// A map of a few places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// What it says, in a sentence: for who can't see it.
    pub summary: String,
    /// Places.
    pub places: Vec<Place>,
    /// Latitudes and longitudes of the vehicle's way, in its order; may be empty.
    pub way: Vec<(f64, f64)>,
}

/// A place as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn<'a> {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// What it is.
    pub place: &'a Place,
}

/// A bar of the scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its length in the drawing.
    pub length: f64,
    /// What that is on the ground: `200 m`.
    pub label: String,
}

impl Drawn<'_> {
    /// Class of the mark.
    pub fn class(&self) -> &'static str {
        match (self.place.mark, self.place.focus) {
            (Mark::Read, false) => "place",
            (Mark::Read, true) => "place focus",
            (Mark::Hit, false) => "place hit",
            (Mark::Hit, true) => "place hit focus",
        }
    }

    /// Where it stands, for `transform`.
    pub fn at(&self) -> String {
        format!("translate({} {})", self.x, self.y)
    }

    /// How its arrow is turned, for `transform`; none without a heading.
    pub fn turn(&self) -> Option<String> {
        self.place.heading.filter(|h| h.is_finite()).map(|heading| format!("rotate({})", round(heading)))
    }

    /// Hits have a shape of their own, too.
    pub fn is_hit(&self) -> bool {
        self.place.mark == Mark::Hit
    }
}

/// From degrees to the drawing. North is up, and a metre is as long in each direction.
struct Projection {
    /// In degrees; the middle of what is shown.
    middle: (f64, f64),
    /// Metres of a degree of longitude there.
    degree_lon_m: f64,
    /// Units of the drawing for a metre.
    scale: f64,
}

impl Map {
    /// A map of these places, if any of them can be one.
    pub fn of(summary: impl Into<String>, places: Vec<Place>, way: Vec<(f64, f64)>) -> Option<Self> {
        let map = Self { summary: summary.into(), places, way };
        let any = map.corners().next().is_some();
        any.then_some(map)
    }

    /// Size of the drawing, for its `viewBox`.
    pub fn view_box(&self) -> String {
        format!("0 0 {WIDTH} {HEIGHT}")
    }

    /// The places, those that the page is about last, so that they lie on top.
    pub fn drawn(&self) -> Vec<Drawn<'_>> {
        let Some(projection) = self.projection() else { return Vec::new() };
        let all: Vec<_> = self.places.iter().filter(|p| is_place(p.lat, p.lon)).collect();
        let step = all.len().div_ceil(MAX_PLACES).max(1);
        let kept = all.iter().enumerate().filter(|(n, place)| n % step == 0 || place.focus);
        let mut drawn: Vec<_> = kept
            .map(|(_, place)| {
                let (x, y) = projection.draw(place.lat, place.lon);
                Drawn { x, y, place }
            })
            .collect();
        drawn.sort_by_key(|d| (d.place.focus, d.is_hit()));
        drawn
    }

    /// The way, as SVG's `points`; empty without one.
    pub fn line(&self) -> String {
        let Some(projection) = self.projection() else { return String::new() };
        let all: Vec<_> = self.way.iter().filter(|(lat, lon)| is_place(*lat, *lon)).collect();
        let step = all.len().div_ceil(MAX_PLACES).max(1);
        let kept = all.iter().enumerate().filter(|(n, _)| n % step == 0 || n + 1 == all.len());
        let corners = kept.map(|(_, (lat, lon))| projection.draw(*lat, *lon));
        corners.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
    }

    /// The scale: metres above, feet or miles below.
    pub fn bars(&self) -> Vec<Bar> {
        let Some(Projection { scale, .. }) = self.projection() else { return Vec::new() };
        let longest = MAX_BAR / scale;
        let metres = round_below(longest);
        let metric = match metres < 1000.0 {
            true => format!("{metres} m"),
            false => format!("{} km", metres / 1000.0),
        };
        let (other, unit, name) = match longest < MILE_M / 4.0 {
            true => (round_below(longest / FOOT_M), FOOT_M, "ft"),
            false if longest < MILE_M => ((longest / MILE_M * 4.0).floor() / 4.0, MILE_M, "mi"),
            false => (round_below(longest / MILE_M), MILE_M, "mi"),
        };
        vec![
            Bar { length: round(metres * scale), label: metric },
            Bar { length: round(other * unit * scale), label: format!("{other} {name}") },
        ]
    }

    /// Where the scale begins, from the left, and the heights of its two bars.
    pub fn scale_at(&self) -> (f64, f64) {
        (16.0, HEIGHT - 28.0)
    }

    /// Where the arrow to the north stands, for `transform`.
    pub fn north_at(&self) -> String {
        format!("translate({} 36)", WIDTH - 30.0)
    }

    /// Whether there are hits, reads without one, a way: what the legend explains.
    pub fn has_hits(&self) -> bool {
        self.places.iter().any(|p| p.mark == Mark::Hit)
    }

    /// See [`Map::has_hits`].
    pub fn has_reads(&self) -> bool {
        self.places.iter().any(|p| p.mark == Mark::Read)
    }

    fn corners(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let places = self.places.iter().map(|p| (p.lat, p.lon));
        places.chain(self.way.iter().copied()).filter(|(lat, lon)| is_place(*lat, *lon))
    }

    fn projection(&self) -> Option<Projection> {
        let first = self.corners().next()?;
        let mut box_ = [first.0, first.0, 0.0, 0.0];
        for (lat, lon) in self.corners() {
            let east = turned(lon - first.1);
            box_ = [box_[0].min(lat), box_[1].max(lat), box_[2].min(east), box_[3].max(east)];
        }
        let [south, north, west, east] = box_;
        let middle = ((south + north) / 2.0, first.1 + (west + east) / 2.0);
        // At the poles a degree of longitude is nothing; no vehicle is there.
        let degree_lon_m = DEGREE_M * middle.0.to_radians().cos().max(0.01);
        let (high, wide) = ((north - south) * DEGREE_M, (east - west) * degree_lon_m);
        let room = |size: f64, metres: f64| (size - 2.0 * MARGIN) / metres.max(MIN_EXTENT_M);
        Some(Projection { middle, degree_lon_m, scale: room(WIDTH, wide).min(room(HEIGHT, high)) })
    }
}

impl Projection {
    fn draw(&self, lat: f64, lon: f64) -> (f64, f64) {
        let east = turned(lon - self.middle.1) * self.degree_lon_m * self.scale;
        let north = (lat - self.middle.0) * DEGREE_M * self.scale;
        (round(WIDTH / 2.0 + east), round(HEIGHT / 2.0 - north))
    }
}

/// Degrees of longitude between two places, the short way round.
fn turned(degrees: f64) -> f64 {
    (degrees + 540.0).rem_euclid(360.0) - 180.0
}

fn is_place(lat: f64, lon: f64) -> bool {
    lat.is_finite() && lon.is_finite() && lat.abs() <= 90.0 && lon.abs() <= 180.0
}

/// The greatest of 1, 2, 5, 10, 20, … that is not above this.
fn round_below(most: f64) -> f64 {
    let ten = 10_f64.powf(most.max(1e-3).log10().floor());
    [5.0, 2.0].into_iter().map(|n| n * ten).find(|n| *n <= most).unwrap_or(ten)
}

fn round(v: f64) -> f64 {
    (v * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(lat: f64, lon: f64) -> Place {
        Place { lat, lon, ..Place::default() }
    }

    fn map(places: Vec<Place>) -> Map {
        Map::of("", places, Vec::new()).unwrap()
    }

    #[test]
    fn north_is_up_east_is_right_and_a_metre_is_as_long_in_each_direction() {
        // 100 m to the north and 100 m to the east of the first.
        let east = 100.0 / (DEGREE_M * 38.13_f64.to_radians().cos());
        let map =
            map(vec![place(38.13, -121.27), place(38.13 + 100.0 / DEGREE_M, -121.27), place(38.13, -121.27 + east)]);
        let [first, north, to_east] = &map.drawn()[..] else { panic!() };
        assert!(north.y < first.y && north.x == first.x);
        assert!(to_east.x > first.x && to_east.y == first.y);
        assert!(((first.y - north.y) - (to_east.x - first.x)).abs() < 1.0);
        let bars = map.bars();
        let metre = (first.y - north.y) / 100.0;
        assert_eq!((&*bars[0].label, &*bars[1].label), ("50 m", "200 ft"));
        assert!((bars[0].length - 50.0 * metre).abs() < 1.0 && (bars[1].length - 200.0 * FOOT_M * metre).abs() < 1.0);
    }

    #[test]
    fn a_wide_map_has_kilometres_and_miles() {
        let labels = |lat| {
            let bars = map(vec![place(38.0, -121.0), place(lat, -121.0)]).bars();
            (bars[0].label.clone(), bars[1].label.clone())
        };
        assert_eq!(labels(38.02), ("1 km".into(), "0.75 mi".into()));
        assert_eq!(labels(38.2), ("10 km".into(), "5 mi".into()));
    }

    #[test]
    fn places_on_both_sides_of_the_date_line_are_near() {
        let bars = map(vec![place(10.0, 179.999), place(10.0, -179.999)]).bars();
        assert!(bars[0].label.ends_with(" m"), "{bars:?}");
    }

    #[test]
    fn without_a_place_there_is_no_map() {
        assert_eq!(Map::of("", Vec::new(), Vec::new()), None);
        assert_eq!(Map::of("", vec![place(f64::NAN, 1.0)], vec![(91.0, 1.0)]), None);
    }

    #[test]
    fn the_place_that_the_page_is_about_lies_on_top() {
        let about = Place { focus: true, ..place(1.0, 1.0) };
        let hit = Place { mark: Mark::Hit, ..place(1.1, 1.0) };
        let map = map(vec![about.clone(), hit, place(1.2, 1.0)]);
        assert_eq!(map.drawn().last().unwrap().place, &about);
        assert_eq!(map.drawn().last().unwrap().class(), "place focus");
    }

    proptest! {
        #[test]
        fn whatever_the_places_are_the_drawing_holds_them_and_is_bounded(
            places in proptest::collection::vec((-100.0..100.0_f64, -200.0..200.0_f64), 1..1200),
            way in proptest::collection::vec((-90.0..90.0_f64, -180.0..180.0_f64), 0..1200),
        ) {
            let places = places.into_iter().map(|(lat, lon)| place(lat, lon)).collect();
            let Some(map) = Map::of("", places, way) else { return Ok(()) };
            let drawn = map.drawn();
            prop_assert!(drawn.len() <= MAX_PLACES && map.line().split(' ').count() <= MAX_PLACES + 1);
            for d in drawn {
                prop_assert!(d.x.is_finite() && (-0.1..=HEIGHT + 0.1).contains(&d.y), "{d:?}");
            }
            prop_assert!(map.bars().iter().all(|b| b.length > 0.0 && b.length <= MAX_BAR + 0.1));
        }

        #[test]
        fn in_a_beat_every_place_is_inside(
            places in proptest::collection::vec((38.0..38.3_f64, -121.5..-121.0_f64), 1..50),
        ) {
            let map = map(places.into_iter().map(|(lat, lon)| place(lat, lon)).collect());
            for d in map.drawn() {
                prop_assert!((MARGIN - 0.1..=WIDTH - MARGIN + 0.1).contains(&d.x), "{d:?}");
                prop_assert!((MARGIN - 0.1..=HEIGHT - MARGIN + 0.1).contains(&d.y), "{d:?}");
            }
        }
    }
}
