//! The constants that a model makes small, so that it reaches what lies beyond them.

/// Messages that one activation handles before it goes to the back of the queue.
pub const BATCH: usize = 2;

/// How many parts the table of actors has, each with a lock of its own.
pub const SHARDS: usize = 1;

/// Whether whoever has nothing to do for the moment waits for one before it sleeps: a model explores its not waiting.
pub const LINGERS: bool = false;

/// How many bytes may have been read and not yet been used, or wait for somebody who does not read, before
/// whoever sends is held up.
pub const WINDOW: usize = 2;

/// Whether messages travel in blocks of memory, several in one. They do not: what the blocks do is a subject of its
/// own, and would have every model of something else explore it, too.
pub const BLOCKS: bool = false;
