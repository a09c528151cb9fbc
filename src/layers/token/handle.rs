use std::sync::Arc;
use std::time::SystemTime;

use super::cells::KeyedCells;
use super::error::TokenError;
use super::layer::Settings;
use super::shared::{Cell, Given};
use crate::terms::TokenState;

/// Reads the state of a token, and renews it. Clones are of the same token.
#[derive(Clone, Debug)]
pub struct TokenHandle {
    cell: Arc<Cell>,
    settings: Settings,
}

/// Reads the tokens of a layer that has [one for each key](super::TokenLayer::keyed).
#[derive(Clone, Debug)]
pub struct KeyedTokens {
    cells: Arc<KeyedCells>,
    settings: Settings,
}

impl TokenHandle {
    pub(super) fn new(cell: Arc<Cell>, settings: Settings) -> Self {
        Self { cell, settings }
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> TokenState {
        self.cell.state(&self.settings)
    }

    /// The token's number: 1 for the first, one more for each other one; 0 without any.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.cell.generation()
    }

    /// From when on the token isn't sent any more: a little before it ends. `None` if nobody knows
    /// when it ends, or there is none.
    #[must_use]
    pub fn ends(&self) -> Option<SystemTime> {
        self.cell.ends()
    }

    /// Why the last fetch failed, if it did.
    #[must_use]
    pub fn error(&self) -> Option<TokenError> {
        self.cell.error()
    }

    /// How many seconds the issuer's clock is ahead of this machine's, if the issuer tells its time;
    /// less than zero if it is behind.
    #[must_use]
    pub fn issuer_clock_ahead(&self) -> Option<i64> {
        self.cell.ahead()
    }

    /// Fetches a token now, unless a fetch runs. Callers go on with the present one meanwhile.
    pub fn renew(&self) {
        self.cell.renew(&self.settings);
    }

    /// The present token isn't sent any more, nor one that is being fetched: somebody took the access
    /// back. The next call fetches another, also if a back-off runs.
    pub fn invalidate(&self) {
        self.cell.invalidate();
    }

    /// Waits until there is a token.
    ///
    /// # Errors
    ///
    /// If the last fetch failed, also if an older token is still sent.
    pub async fn ready(&self) -> Result<(), TokenError> {
        loop {
            match self.cell.ask(&self.settings) {
                Given::Use(_) => return self.error().map_or(Ok(()), Err),
                Given::Fail { error, .. } => return Err(error),
                // The sender is the cell's, which lives here.
                Given::Wait(mut ended) => drop(ended.changed().await),
            }
        }
    }
}

impl KeyedTokens {
    pub(super) fn new(cells: Arc<KeyedCells>, settings: Settings) -> Self {
        Self { cells, settings }
    }

    /// The keys that have a token, or wanted one, in no order; those that were idle for long may be
    /// gone.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.cells.keys()
    }

    /// The token of one key, if the key was seen.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<TokenHandle> {
        Some(TokenHandle::new(self.cells.get(key)?, self.settings.clone()))
    }
}
