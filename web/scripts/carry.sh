# Built tests in a folder that runs on another machine: one with a GPU, say, and without Rust.

# What they may come to.
CARRIED_BYTES=$((64 * 1024 * 1024))
CARRIED=(kernels gpu_player model_gpu model)

# carry DIR: the folder must be new or empty.
carry() {
  local to=$1 suite program bytes
  [ -z "$(ls -A "$to" 2>/dev/null)" ] || die "$to is not empty"
  mkdir -p "$to/bin"
  for suite in "${CARRIED[@]}"; do
    program=$(cargo test --no-run --test "$suite" --target-dir target --message-format json |
      sed -n "s/.*\"name\":\"$suite\".*\"executable\":\"\([^\"]*\)\".*/\1/p" | tail -n 1)
    [ -x "$program" ] || die "cargo named no program for the suite $suite"
    cp "$program" "$to/bin/$suite"
  done
  strip "$to"/bin/*
  git ls-files tests/goldens tests/pictures | tar -cf - -T - | tar -xf - -C "$to"
  cp web/scripts/carried.sh "$to/run"
  chmod +x "$to/run"
  bytes=$(cat "$to"/bin/* | wc -c)
  say "   $((bytes >> 20)) MiB of programs; on the other machine: ./run, or ./run software"
  [ "$bytes" -le $CARRIED_BYTES ] || die "the programs have $bytes bytes; $CARRIED_BYTES may be carried"
}
