use super::builder::IntegrationBuilder;
use crate::validate::ValidateLayer;
use crate::validate::graphql::{GraphQl, MarkQueries};

impl<C> IntegrationBuilder<C> {
    /// Reads what GraphQL's answers say, and repeats queries although they are sent by POST. The check is
    /// added to those of [`validate`](Self::validate), so give those before. Where the provider has other
    /// paths, too, name GraphQL's: [`GraphQl::at_path`].
    ///
    /// See [`validate::graphql`](crate::validate::graphql).
    pub fn graphql(self, graphql: GraphQl) -> Self {
        let queries = MarkQueries::of(&graphql);
        self.validate(|checks: ValidateLayer| checks.enforce(graphql)).around_call(queries)
    }
}
