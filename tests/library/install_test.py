"""install_test.py CMAKE BUILD: installs the library's files, and builds a program with them alone."""
import os
import subprocess
import sys
import tempfile

CMAKE, BUILD = sys.argv[1:]
PROGRAM = """#include <rogate/rogate.hpp>
#include <cstdio>
int main(int, char** argv) {
    const auto result = rogate::read_result(argv[1]);
    if (!result) return std::puts(result.error().message.c_str()), 1;
    const std::vector<rogate::CampaignResult> results{*result};
    const rogate::MountResult* mount = rogate::find_mount(results, "", argv[2]);
    return mount == nullptr ? 2 : (std::puts(rogate::describe(*mount).c_str()), 0);
}
"""
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(asks CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(rogate REQUIRED)
add_executable(asks asks.cpp)
target_link_libraries(asks PRIVATE rogate::rogate)
"""

def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout

with tempfile.TemporaryDirectory() as folder:
    run(CMAKE, "--install", BUILD, "--component", "development", "--prefix", f"{folder}/prefix")
    assert not os.path.exists(f"{folder}/prefix/bin"), "the component brings more than the library"
    for name, text in (("asks.cpp", PROGRAM), ("CMakeLists.txt", PROJECT)):
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    run(CMAKE, "-S", folder, "-B", f"{folder}/build", f"-DCMAKE_PREFIX_PATH={folder}/prefix")
    run(CMAKE, "--build", f"{folder}/build")
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "result.json")
    done = subprocess.run([f"{folder}/build/asks", golden, "/data"], capture_output=True, text=True)

    assert done.returncode == 0 and done.stdout.startswith("/data is "), done
