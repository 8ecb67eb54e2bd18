//! Values on the heap that one thread makes and another one opens.
//!
//! General allocators serve this badly: every message is a remote free, and with the system's allocator the two
//! threads then meet in its free lists, once for each message. Here each thread takes memory for small
//! parcels in *blocks* and hands out their slots one after the other; whoever opens a parcel counts its block
//! down, and whoever opens the last one frees the block. The maker never looks at a block again once its slots
//! are handed out, so the two threads meet in the allocator once a block.
//!
//! ```text
//! block   │ left │ home │ parcel │ home │ parcel │ ...        `home` points to the block
//! ```
//!
//! A block lives as long as one of its parcels: a message that waits for long keeps a block of 1 KiB at most.
//! Parcels of a type that says so, and those that are too large, have an allocation of their own.
//!
//! # Who may access what
//! A slot belongs to its parcel. `left` is an atomic: it counts the slots that are not opened yet, handed out or
//! not. The thread that hands out slots keeps where it is in thread-local memory, and counts down at once what it
//! will never hand out.
#![allow(unsafe_code, reason = "memory that several threads give back: the inbox is built on it")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use platform::cell::{Allocation, Witness};
use platform::sync::atomic::{AtomicUsize, Ordering};

/// The size of a block: what the system's allocator still hands out of a cache of the thread.
const BLOCK_BYTES: usize = 1024;
const BLOCK: Layout = match Layout::from_size_align(BLOCK_BYTES, align_of::<Block>()) {
    Ok(layout) => layout,
    Err(_) => panic!("a size and an alignment that exist"),
};

/// Parcels beyond this size have an allocation of their own.
const MOST_BYTES: usize = 120;

/// The head of a block; its slots follow.
struct Block {
    /// How many slots are not opened yet.
    left: AtomicUsize,
    /// Of all its slots together: whoever opens one has read, whoever frees the block writes.
    contents: Witness,
    _memory: Allocation,
}

/// What lies before each parcel in a block.
type Home = NonNull<Block>;

impl Block {
    /// How many slots of `slot` bytes a block has.
    const fn slots(slot: usize) -> usize {
        (BLOCK_BYTES - size_of::<Self>()) / slot
    }

    /// A block with `slots` slots to be opened.
    fn allocate(slots: usize) -> NonNull<Self> {
        // SAFETY: the layout is not of size zero.
        let Some(block) = NonNull::new(unsafe { alloc(BLOCK) }.cast::<Self>()) else {
            handle_alloc_error(BLOCK)
        };
        // SAFETY: fresh memory, large and aligned enough for the head.
        unsafe {
            block.write(Self {
                left: AtomicUsize::new(slots),
                contents: Witness::new(),
                _memory: Allocation::new(),
            });
        }
        block
    }

    /// Counts `slots` slots as opened, and frees the block after the last one.
    ///
    /// # Safety
    /// So many slots of this block belong to the caller, who never touches them again.
    unsafe fn open(block: NonNull<Self>, slots: usize) {
        // SAFETY: the caller's slots keep the block alive.
        let Self { left, contents, _memory } = unsafe { block.as_ref() };
        contents.read();
        // Release: pairs with the Acquire below; what was done to these slots happens before the block is freed.
        if left.fetch_sub(slots, Ordering::Release) == slots {
            // Acquire: pairs with the Release above of all who opened the others; all of them are read here.
            left.load(Ordering::Acquire);
            contents.write();
            // SAFETY: allocated with this layout, and nobody has a slot of it any more.
            unsafe {
                block.drop_in_place();
                dealloc(block.as_ptr().cast(), BLOCK);
            }
        }
    }
}

/// Where one thread is in handing out the slots of one size.
struct Dispenser {
    block: Cell<*mut Block>,
    /// How many slots were handed out; all of them, if there is no block.
    handed_out: Cell<usize>,
    slot: usize,
}

impl Dispenser {
    const fn new(slot: usize) -> Self {
        Self { block: Cell::new(ptr::null_mut()), handed_out: Cell::new(Block::slots(slot)), slot }
    }

    /// A slot, with its home written.
    #[inline]
    fn hand_out(&self) -> NonNull<u8> {
        let mut next = self.handed_out.get();
        if next == Block::slots(self.slot) {
            self.block.set(Block::allocate(next).as_ptr());
            next = 0;
        }
        self.handed_out.set(next + 1);
        // SAFETY: there is a block, from the allocation above or an earlier one, and it is alive, since this slot
        // of it has not been opened.
        unsafe { slot(NonNull::new_unchecked(self.block.get()), next * self.slot) }
    }
}

impl Drop for Dispenser {
    fn drop(&mut self) {
        let rest = Block::slots(self.slot) - self.handed_out.get();
        if let Some(block) = NonNull::new(self.block.get())
            && rest > 0
        {
            // SAFETY: nobody else has these slots.
            unsafe { Block::open(block, rest) };
        }
    }
}

/// The slot at `offset` bytes, with its home written: where its parcel goes.
///
/// # Safety
/// `block` is alive and has such a slot, which nobody uses.
#[inline]
unsafe fn slot(block: NonNull<Block>, offset: usize) -> NonNull<u8> {
    // SAFETY: the caller's promise; the block is aligned for a pointer, and so are all sizes of slots.
    unsafe {
        let home = block.add(1).byte_add(offset).cast::<Home>();
        home.write(block);
        home.add(1).cast()
    }
}

/// One dispenser for each size of slot: two words, three words, and so on.
const SIZES: usize = MOST_BYTES / size_of::<usize>();

platform::thread_local! {
    static DISPENSERS: [Dispenser; SIZES] = const {
        let mut dispensers = [const { Dispenser::new(size_of::<usize>()) }; SIZES];
        let mut index = 0;
        while index < SIZES {
            dispensers[index].slot = (index + 2) * size_of::<usize>();
            dispensers[index].handed_out = Cell::new(Block::slots(dispensers[index].slot));
            index += 1;
        }
        dispensers
    };
}

/// A value on the heap, made by one thread and mostly opened by another; small ones lie in blocks, if they should.
pub struct Parcel<T, const BLOCKS: bool> {
    contents: NonNull<T>,
    owned: PhantomData<T>,
}

// SAFETY: it owns its value, as a box does; the memory may be freed by any thread.
unsafe impl<T: Send, const BLOCKS: bool> Send for Parcel<T, BLOCKS> {}
// SAFETY: a shared parcel gives nothing but a shared value.
unsafe impl<T: Sync, const BLOCKS: bool> Sync for Parcel<T, BLOCKS> {}

impl<T, const BLOCKS: bool> Parcel<T, BLOCKS> {
    /// Whether such parcels lie in blocks.
    pub const IS_SMALL: bool =
        BLOCKS && size_of::<T>() > 0 && size_of::<T>() <= MOST_BYTES && align_of::<T>() <= align_of::<Home>();

    /// Puts `value` on the heap.
    #[inline]
    pub fn new(value: T) -> Self {
        if !Self::IS_SMALL {
            return Self::own(Box::into_raw(Box::new(value)));
        }
        let size = (size_of::<T>() - 1) / size_of::<usize>();
        // A thread that is past its thread-local variables gives the parcel a block of its own.
        let contents = DISPENSERS.try_with(|dispensers| dispensers[size].hand_out()).unwrap_or_else(|_| {
            // SAFETY: fresh, with room for more than one slot of this size.
            unsafe { slot(Block::allocate(1), 0) }
        });
        let contents = contents.cast::<T>();
        // SAFETY: a slot of this size, which belongs to this parcel.
        unsafe { contents.write(value) };
        Self { contents, owned: PhantomData }
    }

    /// Takes the value out.
    #[inline]
    pub fn into_inner(self) -> T {
        let pointer = self.into_raw();
        // SAFETY: `into_raw` gave the value and its memory to us.
        unsafe {
            let value = pointer.read();
            Self::free(pointer);
            value
        }
    }

    /// Gives the parcel up without dropping it; [`from_raw`](Self::from_raw) takes it back.
    #[inline]
    pub fn into_raw(self) -> *mut T {
        std::mem::ManuallyDrop::new(self).contents.as_ptr()
    }

    /// Takes a parcel back.
    ///
    /// # Safety
    /// `pointer` comes from [`into_raw`](Self::into_raw) of the same type and is used once.
    #[inline]
    pub unsafe fn from_raw(pointer: *mut T) -> Self {
        Self::own(pointer)
    }

    fn own(pointer: *mut T) -> Self {
        Self { contents: NonNull::new(pointer).expect("a parcel has an address"), owned: PhantomData }
    }

    /// Frees the memory of a parcel whose value is gone.
    ///
    /// # Safety
    /// `pointer` comes from [`into_raw`](Self::into_raw), and nobody uses it any more.
    #[inline]
    unsafe fn free(pointer: *mut T) {
        // SAFETY: the caller's promise; the home of a small parcel lies before it, and any other is a box, whose
        // value is no more than bytes by now.
        unsafe {
            match Self::IS_SMALL {
                true => Block::open(pointer.cast::<Home>().sub(1).read(), 1),
                false => drop(Box::from_raw(pointer.cast::<std::mem::MaybeUninit<T>>())),
            }
        }
    }
}

impl<T, const BLOCKS: bool> Deref for Parcel<T, BLOCKS> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the parcel owns its value.
        unsafe { self.contents.as_ref() }
    }
}

impl<T, const BLOCKS: bool> DerefMut for Parcel<T, BLOCKS> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the parcel owns its value.
        unsafe { self.contents.as_mut() }
    }
}

impl<T, const BLOCKS: bool> Drop for Parcel<T, BLOCKS> {
    fn drop(&mut self) {
        /// Frees the memory also if the value's destructor panics.
        struct Memory<T, const BLOCKS: bool>(*mut T);
        impl<T, const BLOCKS: bool> Drop for Memory<T, BLOCKS> {
            fn drop(&mut self) {
                // SAFETY: made below, of a parcel that is being dropped.
                unsafe { Parcel::<T, BLOCKS>::free(self.0) };
            }
        }
        let memory = Memory::<T, BLOCKS>(self.contents.as_ptr());
        // SAFETY: the parcel owns its value, which is not used after this.
        unsafe { memory.0.drop_in_place() };
    }
}

impl<T: fmt::Debug, const BLOCKS: bool> fmt::Debug for Parcel<T, BLOCKS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
