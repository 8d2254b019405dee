# Runs test suites one after the other and adds up what they counted. A suite that ran no test has failed.

PASSED=0 FAILED=0 IGNORED=0

# count NAME PASSED FAILED IGNORED
count() {
  local note=
  if [ $(($2 + $3)) = 0 ]; then
    note=" (no test ran)"
    FAILED=$((FAILED + 1))
  fi
  say "   $1: $2 passed, $3 failed, $4 ignored$note"
  PASSED=$((PASSED + $2)) FAILED=$((FAILED + $3)) IGNORED=$((IGNORED + $4))
}

# cargo_suites CARGO-TEST-ARGUMENTS...: every test program is a suite of its own.
cargo_suites() {
  local log=target/cargo-test.log status=0 before=$FAILED name passed failed ignored
  mkdir -p target
  cargo test --no-fail-fast "$@" 2>&1 | tee $log || status=$?
  while read -r name passed failed ignored; do
    count "$name" "$passed" "$failed" "$ignored"
  done < <(cargo_counts $log)
  # Neither a compile error nor a test program that dies prints a count.
  if [ $status != 0 ] && [ $FAILED = $before ]; then count "cargo test (exit status $status)" 0 1 0; fi
}

# From cargo's own output: one line "NAME PASSED FAILED IGNORED" a test program; one that never reported has failed.
cargo_counts() {
  awk '
    function flush() { if (name != "") print name, (seen ? counts : "0 1 0"); name = "" }
    $1 == "Running" { flush(); name = ($2 == "unittests") ? $3 : $2; seen = 0 }
    $1 == "Doc-tests" { flush(); name = "doc-tests"; seen = 0 }
    /^test result: / && name != "" {
      match($0, /[0-9]+ passed/); passed = substr($0, RSTART, RLENGTH) + 0
      match($0, /[0-9]+ failed/); failed = substr($0, RSTART, RLENGTH) + 0
      match($0, /[0-9]+ ignored/); ignored = substr($0, RSTART, RLENGTH) + 0
      counts = passed " " failed " " ignored; seen = 1
    }
    END { flush() }' "$1"
}

# node_suites FILE...: each test file is a suite and runs alone, since they share the cores with a browser.
node_suites() {
  local file tap=web/build/suite.tap status
  mkdir -p web/build
  for file in "$@"; do
    [ -e "$file" ] || die "no node test matches $file"
    say "   $file"
    status=0
    : >$tap
    node --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap --test-reporter-destination=$tap \
      "$file" || status=$?
    # shellcheck disable=SC2046 # three words are wanted
    set_counts $(awk '/^# pass /{p=$3} /^# (fail|cancelled) /{f+=$3} /^# (skipped|todo) /{i+=$3} END{print p+0, f+0, i+0}' $tap)
    if [ $status != 0 ] && [ "$SUITE_FAILED" = 0 ]; then SUITE_FAILED=1; fi
    count "$file" "$SUITE_PASSED" "$SUITE_FAILED" "$SUITE_IGNORED"
  done
}

set_counts() { SUITE_PASSED=$1 SUITE_FAILED=$2 SUITE_IGNORED=$3; }

# The last line of a test run, also of one that broke off before or between its suites.
report_and_exit() {
  local status=$?
  if [ $status != 0 ] && [ $FAILED = 0 ]; then FAILED=1; fi
  [ $IGNORED = 0 ] || say "$IGNORED ignored"
  say "$PASSED passed, $FAILED failed"
  [ $FAILED = 0 ] || exit 1
}
