//! What a descriptor is ready for. One source file, compiled into each platform.

/// What a descriptor is ready for, or what somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Readiness(u8);

impl Readiness {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// There is something to read, or an end.
    pub const READ: Self = Self(1);
    /// There is room to write.
    pub const WRITE: Self = Self(2);
    /// Broken, or closed in both directions. Reported to whoever waits, whatever for.
    pub const BROKEN: Self = Self(4);
    /// In a poller's reports, beside `READ`: a read that finds less than it asked for may still not have found
    /// all, since an end, or a mark that reads stop at, has come by now.
    pub const MORE: Self = Self(8);

    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This, without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What both have.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Says whether the two have something in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Says whether there is nothing.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// As the four lowest bits of a number.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The reverse of [`bits`](Self::bits); what else the number has is left out.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits as u8 & 15)
    }
}
