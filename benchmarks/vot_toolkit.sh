#!/usr/bin/env bash
# Set the VOT toolkit up beside pgnet and let it test the tracker: benchmarks/vot_toolkit.sh FOLDER [MODEL]
# The toolkit is GPL-3 and no part of pgnet: it gets an environment of its own in FOLDER/venv, and talks to pgnet as
# to any program, over TraX. Afterwards FOLDER is a workspace without an experiment stack: `vot initialize STACK` there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:?give the folder to set the toolkit up in}
model=${2:-pgnet-lite}
mkdir -p "$folder"
cd "$folder"
if [[ ! -x venv/bin/vot ]]; then
    python3 -m venv venv
    # attributee 0.1.10 does not work with Python 3.11.
    venv/bin/pip install --quiet 'vot-toolkit==0.9.0' 'attributee<0.1.10'
    venv/bin/pip install --quiet "$root"
else
    venv/bin/pip install --quiet --force-reinstall --no-deps "$root" # the checkout as it is now
fi
cat >trackers.ini <<INI
[PGNet]
label = PGNet
protocol = trax
command = $PWD/venv/bin/python -m pgnet.integrations.vot --model $model
INI
venv/bin/vot test PGNet
