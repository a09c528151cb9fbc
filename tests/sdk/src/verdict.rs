// recipe
/// outrigger's error in an SDK's error, if the SDK keeps it.
pub fn verdict<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e outrigger::Error> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref())
}
// end
