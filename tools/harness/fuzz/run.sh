# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Layer "fuzz" of tools/torture: builds the fuzz targets with clang, in build/fuzz, and runs each for
# a time. To be sourced behind build.sh, with $top and $scratch set. What a run finds worth keeping
# stays in build/fuzz/corpus, where the next one goes on; the tree is only read.

fuzz_build=$top/build/fuzz
fuzz_title="everything that comes from outside, made up at random"
fuzz_targets=(json config uri plugin-name fs-json journal record run)
fuzz_seconds=10
fuzz_seed=1
fuzz_runs=-1

build_fuzz ()
{
  local log=$scratch/fuzz-build.log
  (packages+=(clang libclang-rt-14-dev); install_missing)
  command -v clang > /dev/null || return 2
  if ! { CC=clang configure "$fuzz_build" -Dintrospection=false -Dtorture=true -Db_lundef=false \
           -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link --prefix=/nowhere &&
         ninja --quiet -C "$fuzz_build" fuzz; } > "$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
}

# Whether there is anything to run: not if something is asked, or for one backend only.
read_fuzz_arguments ()
{
  while [ "$#" -gt 0 ]; do
    case $1 in
      --help | -h | --list | --backend | --backend=*) return 1 ;;
      --long) fuzz_seconds=600 ;;
      --seed) fuzz_seed=$2; shift ;;
      --seed=*) fuzz_seed=${1#--seed=} ;;
      --cases) fuzz_runs=$2; shift ;;
      --cases=*) fuzz_runs=${1#--cases=} ;;
    esac
    shift
  done
  [ "$fuzz_runs" -lt 0 ] || fuzz_seconds=0
}

# The last number behind these words in a log; 0 if there is none.
number_behind ()
{
  local found
  found=$(grep -aoE "$1 *[0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$') || found=0
  printf %s "$found"
}

# The line of a target, as the other layers print it; microseconds.
print_fuzz_result ()
{
  local name=$1 log=$2 violations=$3 time=$4
  LC_ALL=C printf '%-24s %10d cases %12d edges %d violations %8.1f s\n' "fuzz $name" \
    "$(number_behind stat::number_of_executed_units: "$log")" "$(number_behind cov: "$log")" \
    "$violations" "$((time / 1000000)).$((time / 100000 % 10))"
}

fuzz_target ()
{
  local name=$1 found=$fuzz_build/found program=$fuzz_build/tools/harness/fuzz/fuzz-$1
  local log=$found/$1.log start=${EPOCHREALTIME/[.,]/} status=0 options folders
  folders=("$fuzz_build/corpus/$name" "$top/tests/corpus/$name")
  options=(-max_total_time="$fuzz_seconds" -runs="$fuzz_runs" -seed="$fuzz_seed" -max_len=8192
           -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found/$name-")
  [ "$name" != fs-json ] || folders+=("$top/tests/data/osbuild-jobs")
  [ ! -f "$top/tools/harness/fuzz/$name.dict" ] || options+=(-dict="$top/tools/harness/fuzz/$name.dict")
  mkdir -p "$found" "$fuzz_build/corpus/$name"
  TMPDIR=$scratch G_SLICE=always-malloc UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    "$program" "${options[@]}" "${folders[@]}" > "$log" 2>&1 || status=$?
  print_fuzz_result "$name" "$log" "$((status != 0))" $((${EPOCHREALTIME/[.,]/} - start))
  [ "$status" -ne 0 ] || return 0
  printf '\n'
  grep -aE '^(\*\*|.*ERROR|SUMMARY|.*runtime error|.*Test unit written to)' "$log" || tail -n 20 "$log"
  printf 'All that was said: %s\nOnce more: %s FILE\n' "$log" "$program"
  return 1
}

# run_fuzz ARGUMENT…: those of tools/torture. 1 at the first violation.
run_fuzz ()
{
  local name status=0
  read_fuzz_arguments "$@" || return 0
  build_fuzz || status=$?
  if [ "$status" -eq 2 ]; then
    printf '%-24s cannot be done here, so nothing is shown: there is no clang\n' fuzz
    return 0
  fi
  [ "$status" -eq 0 ] || die "the build of the fuzz targets failed; its messages are above"
  for name in "${fuzz_targets[@]}"; do
    fuzz_target "$name" || return 1
  done
}
