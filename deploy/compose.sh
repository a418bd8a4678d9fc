#!/usr/bin/env bash
# Runs the compose files with docker or podman, whichever is there: compose.sh up --detach, compose.sh down, compose.sh logs …
# GPU=1 and POSTGRES=1 add their files. Settings come from the environment or from .env beside this file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { printf '%s\n' "$*"; }
fail() { printf 'compose: %s\n' "$*" >&2; exit 1; }
works() { "${1%%[ -]*}" info >/dev/null 2>&1 && $1 version >/dev/null 2>&1; }

# Give the service's image that was built last, of the kind that can follow a store.
newest_image() {
  "${compose%%[ -]*}" image ls --format '{{.Repository}}:{{.Tag}}' |
    grep -E "(^|/)irisline/.*-follow${GPU:+-gpu}\$" | head -n 1
}

[ $# -gt 0 ] || fail "say what to do: up --detach, down, logs, config"
compose=
for words in "docker compose" podman-compose "podman compose"; do
  if works "$words"; then compose=$words; break; fi
done
[ -n "$compose" ] || fail "needs docker compose or podman-compose, and neither works here; docs/deploy.md says how to go on"

files=(--file compose.yaml)
if [ -n "${GPU:-}" ]; then files+=(--file compose.gpu.yaml); fi
if [ -n "${POSTGRES:-}" ]; then files+=(--file compose.postgres.yaml); fi

if [ -z "${IRISLINE_IMAGE:-}" ] && ! grep -qs '^IRISLINE_IMAGE=' .env; then
  IRISLINE_IMAGE=$(newest_image || true)
  [ -n "$IRISLINE_IMAGE" ] || [ "$1" != up ] || fail "no image of the service here; type make container FOLLOW=1${GPU:+ GPU=1} first"
  export IRISLINE_IMAGE=${IRISLINE_IMAGE:-none}
fi

$compose "${files[@]}" "$@"

if [ "$1" = up ]; then
  say "service  http://127.0.0.1:${IRISLINE_PORT:-3000}  (${IRISLINE_IMAGE:-the image that .env names})"
  say "MLflow   http://127.0.0.1:${IRISLINE_MLFLOW_PORT:-5000}"
  say "To publish what is here to that MLflow, and let the service follow its champion, type:"
  say "  export MLFLOW_TRACKING_URI=http://127.0.0.1:${IRISLINE_MLFLOW_PORT:-5000} && irisline publish --promote"
fi
