#!/usr/bin/env bash
# Runs the tests that were carried here (`./build.sh carry DIR` makes this folder); neither Rust nor the repository is needed.
#
# ./run [WORDS...]            on the GPU that Vulkan finds first; words choose the cases whose name has one
# ./run software [WORDS...]   on lavapipe and SwiftShader, as at home; OCELLI_TEST_LAVAPIPE_ICD and
#                             OCELLI_TEST_SWIFTSHADER_ICD name their driver files
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export OCELLI_TEST_ROOT=$PWD
if [ "${1:-}" = software ]; then shift; else export OCELLI_TEST_ADAPTER=${OCELLI_TEST_ADAPTER:-gpu}; fi
failed=0
for suite in kernels gpu_player model_gpu model; do
  echo "── $suite"
  bin/$suite "$@" || failed=1
done
exit $failed
