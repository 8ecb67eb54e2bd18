//! The constants that a model makes small, so that it reaches what lies beyond them.

/// Messages that one activation handles before it goes to the back of the queue.
pub const BATCH: usize = 256;

/// How many parts the table of actors has, each with a lock of its own.
pub const SHARDS: usize = 16;

/// Whether whoever has nothing to do for the moment [waits for one](crate::thread::linger) before it sleeps.
pub const LINGERS: bool = true;

/// How many bytes may have been read and not yet been used, or wait for somebody who does not read, before
/// whoever sends is held up.
pub const WINDOW: usize = 64 << 10;

/// Whether messages travel in blocks of memory, several in one, and not each in an allocation of its own.
pub const BLOCKS: bool = true;
