//! temp
mod demand;
mod fair;
mod lease;
mod ledger;
#[cfg(test)]
mod tests;
