"""The run part never imports torch."""

import subprocess
import sys

# A finder before all others that refuses torch, then every module that tracking may use.
PROGRAM = """
import importlib, pkgutil, sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lightning_fabric", "lightning", "onnx"):
            raise ModuleNotFoundError(f"the run part imports {name}", name=name)

sys.meta_path.insert(0, Wall())
import pgnet

names = [pgnet.__name__]
for module in pkgutil.walk_packages(pgnet.__path__, "pgnet.", onerror=lambda name: None):
    # The window needs tkinter, which not every Python has; its user imports it late.
    if not module.name.startswith(("pgnet.nn", "pgnet.training", "pgnet.__main__", "pgnet.cli.window")):
        names.append(module.name)
        importlib.import_module(module.name)
for name in pgnet.__all__:
    getattr(pgnet, name)
assert "torch" not in sys.modules
print(*names)
"""


def test_run_part_without_torch() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"pgnet.boxes", "pgnet.tracking.tracker", "pgnet.video.reader", "pgnet.cli.track"} <= set(
        done.stdout.split()
    )


def test_import_is_light() -> None:
    program = "import sys, pgnet; print(pgnet.__version__, *{'cv2', 'av', 'onnxruntime', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == 1, done.stdout
