# Every set of features that somebody may want must build, without a warning. The command line's, all of them, is the default.

FEATURE_SETS=('' any-tokenizer convert images mmap npz threads 'mmap threads' 'images mmap threads')

check_features() {
  local features
  for features in "${FEATURE_SETS[@]}"; do
    say "   features: ${features:-none}"
    cargo clippy --quiet --lib --no-default-features --features "$features" -- -D warnings
  done
  # A test of its own stands where archives cannot be read.
  cargo test --quiet --lib --no-default-features archive
}
