//! Thread-local variables of the threads of a model.

use std::any::Any;
use std::fmt;

use crate::model::with;

/// A key into the running thread's variables; made by [`thread_local!`](crate::thread_local).
pub struct LocalKey<T: 'static> {
    #[doc(hidden)]
    pub init: fn() -> T,
}

/// The variable is being destroyed, or was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

impl<T: 'static> LocalKey<T> {
    /// Works on the running thread's variable, and makes it first if there is none.
    ///
    /// # Panics
    /// Outside of a model, and where [`try_with`](Self::try_with) fails.
    pub fn with<R>(&'static self, work: impl FnOnce(&T) -> R) -> R {
        self.try_with(work).expect("a thread-local variable is used while or after it is destroyed")
    }

    /// Works on the running thread's variable, and makes it first if there is none.
    ///
    /// # Errors
    /// If the thread is ending and the variable is gone.
    ///
    /// # Panics
    /// Outside of a model.
    pub fn try_with<R>(&'static self, work: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let value = match self.find()? {
            Some(value) => value,
            None => {
                let value: Box<dyn Any> = Box::new((self.init)());
                with(|e| e.me().locals.push((self.key(), Some(value)))).expect("a model");
                self.find()?.expect("what was just made")
            }
        };
        // SAFETY: the box stays where it is until `drop_all` takes it, at the end of this very thread, which is
        // here now.
        Ok(work(unsafe { &*value }))
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn find(&'static self) -> Result<Option<*const T>, AccessError> {
        let key = self.key();
        with(|e| match e.me().locals.iter().find(|local| local.0 == key) {
            None => Ok(None),
            Some((_, None)) => Err(AccessError),
            Some((_, Some(value))) => {
                Ok(Some(std::ptr::from_ref(value.downcast_ref::<T>().expect("a key has one type"))))
            }
        })
        .expect("thread-local variables of a model are used inside of it")
    }
}

/// Destroys the running thread's variables; their destructors may make others.
pub(crate) fn drop_all() {
    while let Some(value) =
        with(|e| e.me().locals.iter_mut().rev().find_map(|local| local.1.take())).flatten()
    {
        drop(value);
    }
}

/// Declares thread-local variables, as [`std::thread_local!`] does.
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        $crate::thread_local!($(#[$attribute])* $vis static $name: $type = $init);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $init:expr) => {
        $(#[$attribute])*
        $vis static $name: $crate::local::LocalKey<$type> = $crate::local::LocalKey { init: || $init };
    };
}
