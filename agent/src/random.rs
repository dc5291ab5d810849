//! Seeded pseudo-random numbers: the simulated fleet must be the same on every run, and jitter needs no more.

/// `SplitMix64`: small, fast, good enough for anything but secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded by the operating system; by a constant when that has no entropy to give, as jitter is no secret.
    pub fn from_entropy() -> Self {
        Self(getrandom::u64().unwrap_or(0x6b65_656c_736f_6e00))
    }

    /// Of a seed where there is one, else of the operating system.
    pub fn seeded(seed: Option<u64>) -> Self {
        seed.map_or_else(Self::from_entropy, Self)
    }

    /// What tells one run of an agent from another.
    pub fn run(&mut self) -> [u8; 16] {
        let mut run = [0; 16];
        let (first, second) = run.split_at_mut(8);
        first.copy_from_slice(&self.next_u64().to_le_bytes());
        second.copy_from_slice(&self.next_u64().to_le_bytes());
        run
    }

    /// A generator for one thing among many, named by numbers: independent of the order of asking.
    pub fn for_parts(seed: u64, parts: &[u64]) -> Self {
        parts.iter().fold(Self(seed), |random, part| {
            let mut mixed = random;
            Self(mixed.next_u64() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        })
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`; 0 when the bound is 0. The bias of the remainder does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// One of `items`, `None` when there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_parts_give_the_same_numbers() {
        let draw = |parts: &[u64]| Random::for_parts(7, parts).next_u64();
        assert_eq!(draw(&[1, 2]), draw(&[1, 2]));
        assert_ne!(draw(&[1, 2]), draw(&[2, 1]));
        assert_ne!(draw(&[1]), draw(&[1, 0]));
    }
}
