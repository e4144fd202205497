"""The rules of the house that a machine can check: who imports whom, and how long files get."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("rrstyle", "recon", "apps")
BACKENDS = {"tensorflow", "jax", "torch"}
# Only these name a backend: one holds what keras.ops lacks, the others write models to serve.
NAMES_A_BACKEND = {"rrstyle/backend.py": BACKENDS} | {
    f"rrstyle/export/{name}.py": {"tensorflow"}
    for name in ("saved_model", "bytes", "graph", "onnx", "painter")
}
MOST_LINES = 400
MOST_FILES = 12  # of a folder, besides __init__.py


def python_files(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path):
    return path.relative_to(ROOT).as_posix()


def imported(path):
    """Top names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0] if node.module and not node.level else "")
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            literal = [a.value for a in node.args if isinstance(a, ast.Constant)]
            found |= {name.split(".")[0] for name in literal}
    return found


def test_the_scan_sees_imports_wherever_they_stand(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "import numpy.linalg\n"
        "def f():\n    from tensorflow.config import x\n"
        "def g():\n    return importlib.import_module('jax.numpy')\n"
    )
    assert imported(path) == {"numpy", "tensorflow", "jax"}


def test_there_are_files_to_scan():
    found = {relative(path) for path in python_files(*PACKAGES)}
    assert {"rrstyle/backend.py", "rrstyle/transfer/methods.py"} <= found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package):
    # apps -> recon -> rrstyle, and nobody imports the tests or the benchmarks.
    allowed = set(PACKAGES[: PACKAGES.index(package) + 1])
    others = {*PACKAGES, "tests", "benchmarks"} - allowed
    for path in python_files(package):
        wrong = imported(path) & others
        assert not wrong, f"{relative(path)} imports {', '.join(sorted(wrong))}"


def modules_imported(path, modules):
    """The modules among `modules` that a file imports when it runs, anywhere in it."""
    found = set()
    nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        for node in ast.iter_child_nodes(nodes.pop()):
            if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
                continue
            nodes.append(node)
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= names | {node.module}
    return found & modules


def test_no_two_modules_import_each_other():
    # Late imports count too: a circle of those only hides itself.
    paths = {
        relative(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path
        for path in python_files(*PACKAGES)
    }
    graph = {name: modules_imported(path, paths.keys()) for name, path in paths.items()}
    for name, imports in graph.items():
        # A package is imported with each of its modules: that is no circle by itself.
        imports -= {name, *(package for package in imports if f"{name}.".startswith(f"{package}."))}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises on a circle
    assert order.index("rrstyle.config") < order.index("apps.cli")
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph | {"rrstyle.config": {"apps.cli"}}).prepare()


def test_imports_are_absolute():
    for path in python_files(*PACKAGES):
        assert "" not in imported(path), f"{relative(path)} has a relative import"


def test_only_these_files_name_a_backend():
    for path in python_files("rrstyle"):
        wrong = imported(path) & BACKENDS - NAMES_A_BACKEND.get(relative(path), set())
        assert not wrong, f"{relative(path)} imports {', '.join(sorted(wrong))}"


def test_no_file_is_longer_than_400_lines():
    for path in python_files(*PACKAGES, "tests", "benchmarks"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= MOST_LINES, f"{relative(path)} has {lines} lines"


def test_no_folder_holds_more_than_a_dozen_files():
    for folder in {path.parent for path in python_files(*PACKAGES, "tests", "benchmarks")}:
        found = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(found) <= MOST_FILES, f"{relative(folder)} has {len(found)} files"


def test_no_file_is_called_utils():
    for path in python_files(*PACKAGES, "tests", "benchmarks"):
        assert path.stem not in {"utils", "util", "helpers", "misc"}, relative(path)


def loaded_by(statement):
    """Which modules a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


HEAVY = {"keras", "tensorflow", "jax", "torch", "scipy", "skimage", "numba", "gradio"}


@pytest.mark.parametrize("statement", ["import rrstyle", "import rrstyle.config"])
def test_the_package_and_its_config_import_nothing_heavy(statement):
    assert not loaded_by(statement) & HEAVY


def test_a_name_of_the_package_loads_its_module_when_used():
    loaded = loaded_by("import rrstyle; rrstyle.StyleConfig")
    assert "rrstyle.config" in loaded
    assert "keras" not in loaded


def test_every_public_name_is_there():
    import rrstyle

    for name in rrstyle.__all__:
        assert getattr(rrstyle, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'rrstyle' has no attribute 'nothing'"):
        _ = rrstyle.nothing
