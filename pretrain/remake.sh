#!/bin/bash
# Run what has changed of pretrain/dvc.yaml, and put the results where the project reads them.
set -euo pipefail
cd "$(dirname "$0")/.."
dvc repro pretrain/dvc.yaml
mkdir -p pretrain/weights
cp artifacts/pretrain/weights/*.safetensors pretrain/weights/
dvc add pretrain/weights/*.safetensors
dvc push pretrain/weights/*.dvc
git status --short pretrain irisline/eyes/finder .dvc/embedded
