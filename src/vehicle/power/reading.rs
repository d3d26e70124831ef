//! What Linux says of temperature and supply, in the files of sysfs. What a computer does not have is not there.

use std::path::{Path, PathBuf};

/// A battery with so many percent left, or less, is nearly empty.
const NEARLY_EMPTY: u32 = 20;
/// So near to the temperature at which the kernel switches off, in °C, it is very hot whatever the settings say.
const BEFORE_CRITICAL: f64 = 5.0;

/// One look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The warmest place, in °C.
    pub warmest: Option<f64>,
    /// The warmest is about to be switched off for its heat.
    pub nearly_critical: bool,
    /// How often processors slowed themselves for their heat since the computer started.
    pub throttled: u64,
    /// What supplies it.
    pub supply: Supply,
    /// A sensor reports a supply voltage below its limit.
    pub low_voltage: bool,
}

/// What supplies the computer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supply {
    /// The vehicle, or what Linux says nothing of.
    #[default]
    Outside,
    /// Its battery.
    Battery,
    /// Its battery, which is nearly empty.
    NearlyEmpty,
}

impl Reading {
    /// Reads the files below `folder`, usually `/sys`.
    pub fn of(folder: &Path) -> Self {
        let class = folder.join("class");
        let mut reading = Self::default();
        for zone in entries(&class.join("thermal"), "thermal_zone") {
            let Some(now) = number(&zone.join("temp")).map(|milli| milli / 1000.0) else { continue };
            // Some firmware has zones without a sensor, at 0 or far below.
            reading.warmest = reading.warmest.max_by(now);
            reading.nearly_critical |= critical(&zone).is_some_and(|critical| now >= critical - BEFORE_CRITICAL);
        }
        for cpu in entries(&folder.join("devices/system/cpu"), "cpu") {
            let count = number(&cpu.join("thermal_throttle/core_throttle_count"));
            reading.throttled += count.map_or(0, |count| count as u64);
        }
        for supply in entries(&class.join("power_supply"), "") {
            reading.supply = reading.supply.worse(battery(&supply));
        }
        for sensor in entries(&class.join("hwmon"), "hwmon") {
            let alarms = entries(&sensor, "in").into_iter().filter(|file| {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                name.ends_with("_lcrit_alarm") || name.ends_with("_min_alarm")
            });
            reading.low_voltage |= alarms.filter_map(|file| number(&file)).any(|alarm| alarm > 0.0);
        }
        reading
    }
}

impl Supply {
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::NearlyEmpty, _) | (_, Self::NearlyEmpty) => Self::NearlyEmpty,
            (Self::Battery, _) | (_, Self::Battery) => Self::Battery,
            _ => Self::Outside,
        }
    }
}

trait Warmest {
    fn max_by(self, other: f64) -> Self;
}

impl Warmest for Option<f64> {
    fn max_by(self, other: f64) -> Self {
        Some(self.map_or(other, |before| before.max(other)))
    }
}

/// The temperature at which the kernel switches the computer off.
fn critical(zone: &Path) -> Option<f64> {
    let types = entries(zone, "trip_point_").into_iter().filter(|file| file.to_string_lossy().ends_with("_type"));
    let critical = types.filter(|file| text(file).as_deref() == Some("critical"));
    let degrees = critical.filter_map(|file| {
        let name = file.file_name()?.to_string_lossy().replace("_type", "_temp");
        number(&zone.join(name)).map(|milli| milli / 1000.0)
    });
    degrees.filter(|degrees| *degrees > 0.0).min_by(f64::total_cmp)
}

/// Whether this supply is a battery that the computer draws on.
fn battery(supply: &Path) -> Supply {
    let is = |file: &str, word: &str| text(&supply.join(file)).as_deref() == Some(word);
    // A mouse has one too.
    if !is("type", "Battery") || is("scope", "Device") || !is("status", "Discharging") {
        return Supply::Outside;
    }
    let left = number(&supply.join("capacity")).map(|percent| percent as u32);
    let is_low = is("capacity_level", "Low") || is("capacity_level", "Critical");
    if is_low || left.is_some_and(|left| left <= NEARLY_EMPTY) { Supply::NearlyEmpty } else { Supply::Battery }
}

/// The entries of a folder whose names begin so; none where it is not there.
fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    found.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))).collect()
}

fn text(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

fn number(file: &Path) -> Option<f64> {
    text(file)?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{content}\n")).unwrap();
        }
    }

    #[test]
    fn the_warmest_zone_the_throttles_the_battery_and_an_alarm_of_voltage_are_read_as_linux_writes_them() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Reading::of(root.path()), Reading::default(), "a computer that says nothing");
        put(
            root.path(),
            &[
                ("class/thermal/thermal_zone0/temp", "71000"),
                ("class/thermal/thermal_zone1/temp", "96500"),
                ("class/thermal/thermal_zone1/trip_point_0_type", "passive"),
                ("class/thermal/thermal_zone1/trip_point_0_temp", "85000"),
                ("class/thermal/thermal_zone1/trip_point_1_type", "critical"),
                ("class/thermal/thermal_zone1/trip_point_1_temp", "100000"),
                ("class/thermal/cooling_device0/cur_state", "3"),
                ("class/thermal/thermal_zone2/temp", "no number"),
                ("devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "4"),
                ("devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "2"),
                ("class/power_supply/AC/type", "Mains"),
                ("class/power_supply/AC/online", "0"),
                ("class/power_supply/mouse/type", "Battery"),
                ("class/power_supply/mouse/scope", "Device"),
                ("class/power_supply/mouse/status", "Discharging"),
                ("class/power_supply/mouse/capacity", "3"),
                ("class/power_supply/BAT0/type", "Battery"),
                ("class/power_supply/BAT0/status", "Discharging"),
                ("class/power_supply/BAT0/capacity", "80"),
                ("class/hwmon/hwmon0/in0_lcrit_alarm", "0"),
            ],
        );
        let reading = Reading::of(root.path());
        assert_eq!((reading.warmest, reading.nearly_critical, reading.throttled), (Some(96.5), true, 6));
        assert_eq!((reading.supply, reading.low_voltage), (Supply::Battery, false));
        put(root.path(), &[("class/power_supply/BAT0/capacity", "20"), ("class/hwmon/hwmon0/in0_lcrit_alarm", "1")]);
        let reading = Reading::of(root.path());
        assert_eq!((reading.supply, reading.low_voltage), (Supply::NearlyEmpty, true));
        put(root.path(), &[("class/power_supply/BAT0/status", "Charging")]);
        assert_eq!(Reading::of(root.path()).supply, Supply::Outside);
    }
}
