use std::sync::atomic::Ordering;

use super::{attention, linear, small};
use crate::cpu::fast::simd::PORTABLE_ONLY;

/// Other tests that run meanwhile take the portable backend too, which holds for them as well.
#[test]
fn the_portable_backend_agrees_with_the_twins() {
    PORTABLE_ONLY.store(true, Ordering::Relaxed);
    linear::every_dtype_and_size();
    linear::every_epilogue();
    linear::what_is_not_finite_stays_so();
    attention::every_head_size_and_grouping();
    attention::every_mask_and_source();
    small::norms();
    small::activations_over_their_whole_range();
    small::no_number_stays_none();
    small::argmax_of_any_length();
    PORTABLE_ONLY.store(false, Ordering::Relaxed);
}
