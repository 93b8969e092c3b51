#!/usr/bin/env bash
# Looks over deploy/: kustomize renders it, the schemas of Kubernetes and checkov's rules pass, systemd takes its units, and what the
# files name (settings, commands, metrics, ports) is there in the program.
# Usage: scripts/deploy_check.sh BINARY METRICS; METRICS is what a running server gave at /metrics.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is missing: apt-get install systemd" >&2; exit 1; }
scripts/python.sh deploy deploy/requirements.txt
KUBECTL=$(scripts/kubectl.sh)
export KUBECTL
exec "${XDG_CACHE_HOME:-$HOME/.cache}/cidadao/deploy/bin/python" scripts/deploy_check.py "$@"
