#!/usr/bin/env python3
"""Lets PyPI's PyTorch run on a machine without a GPU and without the 4 GB of GPU libraries that its wheel asks for.

Every GPU library that the wheel needs and that is absent gets a stand-in with the symbols looked for, each a function that reports failure.
The CPU code (libtorch_cpu) is untouched and torch.cuda.is_available() is false. Run by setup.sh inside the environment; needs
a C compiler and binutils. Running it again changes nothing.
"""
import glob
import os
import re
import subprocess
import sysconfig
import tempfile

SITE = sysconfig.get_paths()["purelib"]
LIB = os.path.join(SITE, "torch", "lib")
FAMILIES = re.compile(r"lib(cu|nccl|nvrtc|nvJitLink|nvshmem|nvToolsExt)")
MARK = "edgetwin_stand_in"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    users = sorted(glob.glob(os.path.join(LIB, "libtorch*.so")) + glob.glob(os.path.join(LIB, "libc10*.so")))
    needed, versions, symbols = set(), {}, set()
    for path in users:
        needed |= set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", path)))
        library = None
        for line in output("readelf", "-VW", path).splitlines():
            if found := re.search(r"File: (\S+)", line):
                library = found[1]
            elif (found := re.search(r"Name: (\S+)", line)) and library:
                versions.setdefault(library, set()).add(found[1])
        symbols |= set(re.findall(r"^\s+[Uwv] (\S+)$", output("nm", "-D", "--undefined-only", path), re.M))
    made = 0
    for name in sorted(needed):
        path = os.path.join(LIB, name)
        if not FAMILIES.match(name) or os.path.exists(path) or glob.glob(os.path.join(SITE, "nvidia", "**", name), recursive=True):
            continue
        own = versions.get(name, set())
        by_version = {version: {s.split("@")[0] for s in symbols if s.endswith("@" + version)} for version in own}
        # What has no version may come from any library; a second definition does no harm.
        plain = {s for s in symbols if "@" not in s and re.match(r"(cu|nccl|nvrtc|nvshmem|nvJitLink|nvtx|__cuda)\w+$", s)}
        functions = plain | set().union(*by_version.values())
        with tempfile.TemporaryDirectory() as work:
            source, script = os.path.join(work, "stand_in.c"), os.path.join(work, "versions")
            with open(source, "w", encoding="ascii") as file:
                file.writelines(f"int {function}(void) {{ return 1; }}\n" for function in sorted(functions | {MARK}))
            flags = []
            if own:
                with open(script, "w", encoding="ascii") as file:
                    for version, members in by_version.items():
                        file.write(f"{version} {{ global: {' '.join(m + ';' for m in sorted(members))} }};\n")
                flags = [f"-Wl,--version-script={script}"]
            subprocess.run(["cc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{name}", *flags, "-o", path, source], check=True)
        made += 1
    print(f"{made} stand-ins for GPU libraries made")


if __name__ == "__main__":
    main()
