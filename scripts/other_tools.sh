#!/usr/bin/env bash
# Check pgnet against the tools of others, each with the version that docs/formats.md names: scripts/other_tools.sh FOLDER
# They cannot live in one environment, and vot-toolkit is GPL-3: each group gets one of its own in FOLDER.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:?give the folder for the environments}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

check() {
    local venv="$folder/$1"
    shift
    if [[ ! -x $venv/bin/pytest ]]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet "$@"
        "$venv/bin/pip" install --quiet "$root[report]" pytest hypothesis
    fi
    cd "$root"
    PYTHONPATH="$root/src" "$venv/bin/pytest" -q -p no:cacheprovider \
        tests/results/formats/test_other_readers.py tests/evaluation/test_toolkits.py tests/integrations
}

check readers pycocotools==2.0.11 faster-coco-eval==1.8.0 motmetrics==1.4.0 trackeval==1.3.0 supervision==0.31.2 \
    got10k==0.1.3 six
check datumaro datumaro==1.13.12
check label-studio label-studio-sdk==2.1.2
check vot 'vot-toolkit==0.9.0' 'attributee<0.1.10' # attributee 0.1.10 does not work with Python 3.11
