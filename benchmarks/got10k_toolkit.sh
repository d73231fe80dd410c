#!/usr/bin/env bash
# Run the GOT-10k toolkit's own experiment with the tracker: benchmarks/got10k_toolkit.sh FOLDER MODEL SEQUENCE...
# SEQUENCE... are folders in OTB's layout; they are put into GOT-10k's. The toolkit is no dependency of pgnet and gets an
# environment of its own in FOLDER/venv. At the end pgnet scores the toolkit's raw results: both must say the same.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:?give the folder to work in}
model=${2:?give a model, such as pgnet-lite}
shift 2
mkdir -p "$folder/val"
rm -rf "$folder/results" # the toolkit does not run again what it finds
folder=$(cd "$folder" && pwd)
venv=$folder/venv
if [[ ! -x $venv/bin/pgnet ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet got10k==0.1.3 six "$root"
fi
export PYTHONPATH=$root/src # the checkout as it is now
: >"$folder/val/list.txt"
for sequence in "$@"; do
    name=$(basename "$sequence")
    "$venv/bin/pgnet" convert "$sequence" "$folder/val/$name" --to got10k --video "$sequence/img" --fps 30 --overwrite
    for image in "$sequence"/img/*.jpg; do
        cp "$image" "$folder/val/$name/$(printf %08d "$((10#$(basename "$image" .jpg)))").jpg"
    done
    echo "$name" >>"$folder/val/list.txt"
done
cd "$folder"
MPLBACKEND=Agg "$venv/bin/python" - "$model" <<'PYTHON'
import sys

from got10k.experiments import ExperimentGOT10k

from pgnet.integrations.got10k import got10k_tracker

experiment = ExperimentGOT10k(".", subset="val")
experiment.run(got10k_tracker(sys.argv[1], origin=0))
for name, scores in experiment.report(["PGNet"])["PGNet"]["seq_wise"].items():
    print(f"{name}: AO {scores['ao']:.5f}, SR {scores['sr']:.5f}")
PYTHON
"$venv/bin/pgnet" score results/GOT-10k/PGNet --dataset got10k-val --annotations . --per-sequence 2>/dev/null
