# Runs test suites and adds up what they counted. A suite that ran no test has failed.

PASSED=0 FAILED=0 IGNORED=0
export SUITES=web/build/suites

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

# node_suites FILE...: each test file is a suite. Two run at a time, since a browser rarely keeps two cores busy; one whose
# first line says "Runs alone" measures time or memory, or keeps them busy by itself.
node_suites() {
  local file together=() alone=()
  rm -rf $SUITES
  mkdir -p $SUITES
  for file in "$@"; do
    [ -e "$file" ] || die "no node test matches $file"
  done
  # The largest first: they tend to take longest, and none is left over at the end.
  while read -r file; do
    if head -n 1 "$file" | grep -q '^// Runs alone'; then alone+=("$file"); else together+=("$file"); fi
  done < <(ls -S "$@")
  [ ${#together[@]} = 0 ] || each_suite 2 "${together[@]}"
  [ ${#alone[@]} = 0 ] || each_suite 1 "${alone[@]}"
  # Whatever became of its process, no suite is forgotten.
  for file in "$@"; do
    [ -e "$SUITES/${file##*/}.status" ] || count "$file (it never ended)" 0 1 0
  done
}

# each_suite LANES FILE...: runs the suites; prints what one said, and counts it, when it is over.
each_suite() {
  local file
  while read -r file; do
    count_suite "$file"
  done < <(printf '%s\n' "${@:2}" | xargs -P "$1" -I{} bash -c 'run_suite "$1"' _ {})
}

# run_suite FILE: leaves what it said in files, and prints FILE when it is over.
run_suite() {
  local log=$SUITES/${1##*/} status=0
  # A file that does not load leaves no reports.
  : >"$log.txt"
  : >"$log.tap"
  node --test-reporter=spec --test-reporter-destination="$log.txt" --test-reporter=tap --test-reporter-destination="$log.tap" \
    "$1" >"$log.out" 2>&1 || status=$?
  echo $status >"$log.status"
  echo "$1"
}
export -f run_suite

# count_suite FILE
count_suite() {
  local log=$SUITES/${1##*/} status
  status=$(cat "$log.status")
  say "   $1"
  cat "$log.out" "$log.txt"
  # shellcheck disable=SC2046 # three words are wanted
  set_counts $(awk '/^# pass /{p=$3} /^# (fail|cancelled) /{f+=$3} /^# (skipped|todo) /{i+=$3} END{print p+0, f+0, i+0}' "$log.tap")
  if [ "$status" != 0 ] && [ "$SUITE_FAILED" = 0 ]; then SUITE_FAILED=1; fi
  count "$1" "$SUITE_PASSED" "$SUITE_FAILED" "$SUITE_IGNORED"
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
