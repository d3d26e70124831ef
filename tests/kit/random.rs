//! Random numbers that can be had again.

pub struct Random(u64);

impl Random {
    /// From `PLATED_TEST_SEED`, or other ones each time. The seed is printed.
    pub fn new() -> Self {
        Self::seeded(
            std::env::var("PLATED_TEST_SEED").map_or_else(|_| getrandom::u64().unwrap(), |s| s.parse().unwrap()),
        )
    }

    /// From `PLATED_TEST_SEED`, or always the same. The seed is printed.
    pub fn fixed(seed: u64) -> Self {
        Self::seeded(std::env::var("PLATED_TEST_SEED").map_or(seed, |s| s.parse().unwrap()))
    }

    /// From this seed, which is printed elsewhere or is always the same.
    pub fn quiet(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn seeded(seed: u64) -> Self {
        eprintln!("PLATED_TEST_SEED={seed}");
        Self::quiet(seed)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
