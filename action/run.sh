#!/usr/bin/env bash
# Runs one command for action.yml: its result to a file, its outputs to GITHUB_OUTPUT, its summary to GITHUB_STEP_SUMMARY.
# Ends as the command does; a tag that moved is no failure.
set -uo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=${TIDEMARK_ACTION_COMMAND:-}
case $command in
  check | pin) form=json ;;
  diff) form=github ;;
  *)
    echo "::error::the command is check, diff or pin"
    exit 2
    ;;
esac

# One argument a line, so that nothing in it is for a shell to read.
args=()
while IFS= read -r line; do
  line=${line%$'\r'}
  line=${line#"${line%%[![:space:]]*}"}
  line=${line%"${line##*[![:space:]]}"}
  if [[ -n $line ]]; then args+=("$line"); fi
done <<< "${TIDEMARK_ACTION_ARGS:-}"

# The one on the PATH, else the one that this action came with.
if command -v tidemark > /dev/null; then
  tidemark=(tidemark)
else
  node "$folder/../scripts/build.mjs" >&2 || exit 3
  tidemark=(node "$folder/../bin/tidemark")
fi

result=$(mktemp "${RUNNER_TEMP:-/tmp}/tidemark-XXXXXX")
"${tidemark[@]}" "$command" ${args[@]+"${args[@]}"} -o "$form" > "$result"
code=$?

changed=false
case $command in
  check) if node "$folder/summary.mjs" moved "$result"; then changed=true; fi ;;
  diff) if [[ $code == 1 ]]; then changed=true; fi ;;
  pin) if node "$folder/summary.mjs" updated "$result"; then changed=true; fi ;;
esac
{
  echo "exit-code=$code"
  echo "changed=$changed"
  echo "result=$result"
} >> "$GITHUB_OUTPUT"
if [[ $command == diff ]]; then cat "$result"; else node "$folder/summary.mjs" "$command" "$result"; fi >> "$GITHUB_STEP_SUMMARY"

if [[ $command == check && $code == 10 ]]; then exit 0; fi
exit "$code"
