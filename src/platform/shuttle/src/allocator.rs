//! An allocator that gives no address out twice during an execution.
//!
//! Whether a compare-exchange on a pointer succeeds must not depend on which address the allocator happens to
//! use again: a schedule would not determine an execution. So what is freed while a model runs is kept until
//! the execution ends. (That an address *can* come back, the ABA problem, is therefore not explored.)

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

struct Quarantine;

#[global_allocator]
static GLOBAL: Quarantine = Quarantine;

/// What a block is turned into while it is kept.
struct Kept {
    next: *mut Kept,
    layout: Layout,
}

thread_local! {
    static HOLDING: Cell<bool> = const { Cell::new(false) };
    static KEPT: Cell<*mut Kept> = const { Cell::new(ptr::null_mut()) };
}

/// Keeps, from now on, what this operating-system thread frees.
pub(crate) fn hold() {
    HOLDING.set(true);
}

/// Frees what was kept.
pub(crate) fn release() {
    HOLDING.set(false);
    let mut next = KEPT.replace(ptr::null_mut());
    while !next.is_null() {
        // SAFETY: `dealloc` wrote it into a block that it was given, with the layout the block has.
        unsafe {
            let kept = next.read();
            System.dealloc(next.cast(), kept.layout);
            next = kept.next;
        }
    }
}

/// Big enough, and so aligned, that a freed block can hold a [`Kept`].
#[inline]
fn rounded(layout: Layout) -> Layout {
    let size = layout.size().max(size_of::<Kept>());
    let align = layout.align().max(align_of::<Kept>());
    // SAFETY: a power of two, at most the page size of any machine or what the caller asked for; a size that
    // was valid or is small.
    unsafe { Layout::from_size_align_unchecked(size, align) }
}

// SAFETY: it is the system's allocator, asked for blocks at least as large and as aligned as wanted, always with
// the same layout for the same block.
unsafe impl GlobalAlloc for Quarantine {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(rounded(layout)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(rounded(layout)) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let layout = rounded(layout);
        if HOLDING.get() {
            let kept = block.cast::<Kept>();
            // SAFETY: the block is big enough and aligned, and given up by its owner.
            unsafe { kept.write(Kept { next: KEPT.get(), layout }) };
            KEPT.set(kept);
        } else {
            // SAFETY: the caller's promise, and `alloc` asked for this layout.
            unsafe { System.dealloc(block, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the alignment is that of `layout`, and the caller promises that the size is valid with it.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        if !HOLDING.get() {
            // SAFETY: the caller's promise, with the layouts that `alloc` uses.
            return unsafe { System.realloc(block, rounded(layout), rounded(new).size()) };
        }
        // SAFETY: the caller's promises; the blocks are different ones.
        unsafe {
            let to = self.alloc(new);
            if !to.is_null() {
                ptr::copy_nonoverlapping(block, to, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            to
        }
    }
}
