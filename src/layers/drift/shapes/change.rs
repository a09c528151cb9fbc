use std::fmt;

use super::compare::Difference;
use crate::terms::DriftKind;

/// A difference between two [`Shapes`](super::Shapes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShapeChange {
    /// The endpoint and the class of its answers' status: `GET /v1/customers/{id} 2xx`.
    pub endpoint: String,
    /// What it is: [`NewField`](DriftKind::NewField), [`FieldGone`](DriftKind::FieldGone),
    /// [`TypeChanged`](DriftKind::TypeChanged), [`NewNull`](DriftKind::NewNull) or
    /// [`NewValue`](DriftKind::NewValue).
    pub kind: DriftKind,
    /// Where it is in the body: `/data/*/price`, in which `*` is an item of an array and `{}` an entry of
    /// an object whose keys are ids. Of a type that changed, with the types.
    pub detail: String,
}

impl ShapeChange {
    pub(super) fn new(endpoint: &str, difference: &Difference) -> Self {
        let (kind, detail) = (difference.kind, difference.detail());
        Self { endpoint: endpoint.to_owned(), kind, detail }
    }
}

/// `GET /v1/orders 2xx: a field is gone: /total`
impl fmt::Display for ShapeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.endpoint, self.kind, self.detail)
    }
}
