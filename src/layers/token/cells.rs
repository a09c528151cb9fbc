//! The token of a layer, or one for each key.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Request;

use super::config::TokenConfig;
use super::error::TokenError;
use super::issuer::{AnyIssuer, Issuer, Token, TokenRequest};
use super::layer::Settings;
use super::shared::Cell;
use crate::context::RequestHead;
use crate::pattern::keyed::{KeyedMap, KeyedValue};
use crate::pattern::ownership::Ownership;

/// One token, or one for each key.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    One(Arc<Cell>),
    Keyed(Arc<KeyedCells>),
}

pub(super) type KeyedCells = KeyedMap<Cell, NewCell>;

/// What a new key's cell is made from.
#[derive(Clone)]
pub(super) struct NewCell {
    issuer_of: Arc<IssuerOf>,
    config: TokenConfig,
    ownership: Arc<Ownership>,
}

type IssuerOf = dyn Fn(&str) -> Arc<dyn AnyIssuer> + Send + Sync;

/// The issuer of one key. It is made by its first fetch, not under the lock that all calls share.
struct IssuerOfKey {
    key: Box<str>,
    issuer_of: Arc<IssuerOf>,
    made: OnceLock<Arc<dyn AnyIssuer>>,
}

impl Cells {
    pub(super) fn one(issuer: impl Issuer) -> Self {
        let config = TokenConfig::default();
        Self::One(Arc::new(Cell::new(Arc::new(issuer), config, Arc::default())))
    }

    pub(super) fn keyed<K, F, I>(most: usize, idle: Duration, key: K, issuer_of: F) -> Self
    where
        K: for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync + 'static,
        F: Fn(&str) -> I + Send + Sync + 'static,
        I: Issuer,
    {
        let issuer_of = move |key: &str| Arc::new(issuer_of(key)) as Arc<dyn AnyIssuer>;
        let (issuer_of, config) = (Arc::new(issuer_of), TokenConfig::default());
        let new = NewCell { issuer_of, config, ownership: Arc::default() };
        Self::Keyed(Arc::new(KeyedMap::new(Arc::new(key), most, idle, new)))
    }

    /// Other tokens of the same issuers.
    pub(super) fn renewed(&self, config: TokenConfig) -> Self {
        match self {
            Self::One(cell) => Self::One(Arc::new(cell.renewed(config))),
            Self::Keyed(cells) => {
                let new =
                    cells.new_with(|new| NewCell { ownership: Arc::default(), ..new.clone() });
                Self::Keyed(Arc::new(cells.renewed(NewCell { config, ..new })))
            }
        }
    }

    /// The cell for this request; `None` if its key is new, and each of the most that are kept holds a refresh
    /// token that isn't stored yet.
    pub(super) fn of<B>(&self, request: &Request<B>) -> Option<Arc<Cell>> {
        match self {
            Self::One(cell) => Some(Arc::clone(cell)),
            Self::Keyed(cells) => cells.of(&RequestHead::of(request), NewCell::make),
        }
    }

    /// Lets one of the cells that must stay store its refresh token, which its next fetch does: perhaps no
    /// call asks for its key.
    pub(super) fn store_one(&self, settings: &Settings) {
        let Self::Keyed(cells) = self else { return };
        let _ = cells.all().iter().find(|cell| cell.must_stay() && cell.try_again(settings));
    }

    pub(super) fn ownership(&self) -> Arc<Ownership> {
        match self {
            Self::One(cell) => Arc::clone(&cell.ownership),
            Self::Keyed(cells) => cells.new_with(|new| Arc::clone(&new.ownership)),
        }
    }

    pub(super) fn reconfigure(&self, config: TokenConfig) {
        match self {
            Self::One(cell) => cell.reconfigure(config),
            Self::Keyed(cells) => {
                cells.reconfigure(|new| NewCell { config, ..new }, |cell| cell.reconfigure(config));
            }
        }
    }
}

impl NewCell {
    fn make(key: &str, new: &Self) -> Cell {
        let issuer_of = Arc::clone(&new.issuer_of);
        let issuer = IssuerOfKey { key: key.into(), issuer_of, made: OnceLock::new() };
        Cell::new(Arc::new(issuer), new.config, Arc::clone(&new.ownership))
    }
}

impl AnyIssuer for IssuerOfKey {
    fn issue_boxed(
        self: Arc<Self>,
        request: TokenRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Token, TokenError>> + Send>> {
        // In the future, so that a panic of the function is caught with those of the issuer.
        Box::pin(async move {
            let issuer = self.made.get_or_init(|| (self.issuer_of)(&self.key));
            Arc::clone(issuer).issue_boxed(request).await
        })
    }

    fn must_stay(&self) -> bool {
        self.made.get().is_some_and(|issuer| issuer.must_stay())
    }
}

impl KeyedValue for Cell {
    /// Between fetches only a token is lost, which is fetched anew.
    fn is_at_rest(&self) -> bool {
        !self.is_fetching()
    }

    /// While a refresh runs, and until the refresh token that it brought is stored.
    fn must_stay(&self) -> bool {
        self.issuer().must_stay()
    }
}

impl fmt::Debug for NewCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCell").field("config", &self.config).finish_non_exhaustive()
    }
}
