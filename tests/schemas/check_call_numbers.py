"""The numbers of system calls in harness/observe/agent/arch, against the kernel's own headers of each architecture.

check_call_numbers.py ROOT: exit code 1 and a line for each number that differs. The headers of the other architecture come with
Debian's linux-libc-dev-arm64-cross and linux-libc-dev-armhf-cross."""
import os
import re
import sys

# Newer than the headers of Debian 12; from 403 on every architecture has the same numbers (include/uapi/asm-generic/unistd.h).
NEWER = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
# A row's name, and those of the calls that are the same to us.
SAME = {"umount2": ["umount"], "chown": ["chown32"], "lchown": ["lchown32"], "fchown": ["fchown32"], "truncate": ["truncate64"],
        "stat": ["stat64"], "lstat": ["lstat64"], "statfs": ["statfs64"], "newfstatat": ["fstatat64", "fstatat"],
        "utimensat": ["utimensat_time64"], "mmap": ["mmap2"]}
TABLES = (("x86_64.h", "native", ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h"]),
          ("x86_64.h", "compat", ["/usr/include/x86_64-linux-gnu/asm/unistd_32.h"]),
          ("aarch64.h", "native", ["/usr/aarch64-linux-gnu/include/asm-generic/unistd.h", "/usr/include/asm-generic/unistd.h"]),
          ("aarch64.h", "compat", ["/usr/arm-linux-gnueabihf/include/asm/unistd-eabi.h"]))
ESCAPES = ("exit_group", "clone", "clone3", "seccomp", "ptrace", "io_uring_setup")


def of_header(path):
    found = dict(NEWER)
    with open(path) as file:
        for line in file:
            match = re.match(r"#define __NR(?:3264)?_(\w+)\s+\(?(?:__NR_SYSCALL_BASE \+ )?(\d+)\)?\s*$", line)
            if match:
                found[match[1]] = int(match[2])
    return found


def of_ours(text, which):
    table = re.search(which + r"_numbers\[\] = \{(.*?)\n\};", text, re.S)[1]
    escapes = re.search(which + r"_escapes = \{(.*?)\};", text, re.S)[1]
    return ([(row.lower(), int(number)) for number, row in re.findall(r"\{(\d+), ROW_(\w+)\}", table)],
            {name: int(number) for name, number in re.findall(r"\.(\w+) = (\d+)", escapes)})


def check(name, which, header, text):
    kernel = of_header(header)
    numbers, escapes = of_ours(text, which)
    wrong = [f"{name}: no number of {which} calls was found"] if not numbers else []
    for row, number in numbers:
        names = [row] + SAME.get(row, [])
        if number not in [kernel.get(each) for each in names]:
            wrong.append(f"{name}: {which} call {number} is not {row}, which is {kernel.get(row, 'none')} ({header})")
    ours = {row for row, _ in numbers}
    wrong += [f"{name}: {which} call {kernel[row]}, {row}, is missing ({header})" for row in sorted(ROWS - ours) if row in kernel]
    for escape in ESCAPES:
        if escapes.get(escape) != kernel[escape]:
            wrong.append(f"{name}: {which} {escape} is {escapes.get(escape)}, and {kernel[escape]} in {header}")
    return wrong


with open(f"{sys.argv[1]}/harness/observe/agent/rows.h") as rows_file:
    ROWS = {row.lower() for row in re.findall(r"ROW_(\w+)", rows_file.read())} - {"none"}
problems = []
for file_name, table_name, headers in TABLES:
    there = [each for each in headers if os.path.exists(each)]
    with open(f"{sys.argv[1]}/harness/observe/agent/arch/{file_name}") as arch_file:
        problems += check(file_name, table_name, there[0], arch_file.read()) if there else [
            f"{file_name}: none of {', '.join(headers)} is there: install linux-libc-dev and its -arm64-cross and -armhf-cross"]
print("\n".join(problems))
sys.exit(1 if problems else 0)
