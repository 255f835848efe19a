//! Phases of barriers: how often a context has waited, as far as that is the same each time it comes to a point.
//!
//! In: the waits on the way, and paths that meet. Out: whether two contexts that wait in step can be in one phase. The
//! domain is that of arithmetic congruences (Granger 1989): `first, first + period, first + 2 * period, …`, of which a
//! period of 0 means `first` alone. A loop that waits twice a round comes back after two phases.

/// Numbers of waits done by now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Phases {
    first: u32,
    period: u32,
}

impl Phases {
    /// One more wait.
    pub fn next(self) -> Phases {
        Phases { first: self.first.saturating_add(1), ..self }
    }

    /// From here on: those who don't wait themselves may see any later phase.
    pub fn onwards(self) -> Phases {
        Phases { period: 1, ..self }
    }

    pub fn join(self, other: Phases) -> Phases {
        let period = gcd(gcd(self.period, other.period), self.first.abs_diff(other.first));
        Phases { first: self.first.min(other.first), period }
    }

    /// Whether some number is in both.
    pub fn meets(self, other: Phases) -> bool {
        let (low, high) = if self.first <= other.first { (self, other) } else { (other, self) };
        match gcd(low.period, high.period) {
            0 => low.first == high.first,
            _ if low.period == 0 && low.first < high.first => false,
            period => (high.first - low.first).is_multiple_of(period),
        }
    }

    /// Whether all of these come before all of the other.
    pub fn before(self, other: Phases) -> bool {
        self.period == 0 && self.first < other.first
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::Phases;

    fn after(waits: u32) -> Phases {
        (0..waits).fold(Phases::default(), |phases, _| phases.next())
    }

    /// What a loop that waits so often in each round comes to at its head.
    fn looping(before: u32, waits: u32) -> Phases {
        let mut head = after(before);
        loop {
            let end = (0..waits).fold(head, |phases, _| phases.next());
            if head.join(end) == head {
                return head;
            }
            head = head.join(end);
        }
    }

    #[test]
    fn exact_numbers_meet_only_themselves() {
        assert!(after(2).meets(after(2)));
        assert!(!after(1).meets(after(2)));
        assert!(after(1).before(after(2)));
    }

    #[test]
    fn a_loop_comes_back_after_as_many_phases_as_it_waits() {
        let head = looping(0, 2);
        assert!(head.meets(looping(2, 2)));
        assert!(!head.meets(head.next()));
        assert!(!head.meets(looping(1, 2)));
        assert!(head.meets(head.next().next()));
    }

    #[test]
    fn one_wait_a_round_tells_rounds_from_before() {
        let head = looping(1, 1);
        assert!(head.meets(head.next()));
        assert!(!after(0).meets(head));
        assert!(after(3).meets(head));
    }

    #[test]
    fn loops_that_wait_differently_meet() {
        assert!(looping(0, 2).meets(looping(0, 3).next()));
        assert!(!looping(0, 2).meets(looping(0, 4).next()));
    }
}
