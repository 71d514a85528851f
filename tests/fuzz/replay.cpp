// A harness over every file of its corpus, without libFuzzer: what was found once stays found.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    int files = 0;
    for (int i = 1; i < argc; ++i)
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes{std::istreambuf_iterator<char>(file), {}};
            std::printf("%s\n", entry.path().c_str());
            std::fflush(stdout);
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()),  // NOLINT
                                   bytes.size());
            ++files;
        }
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    std::printf("%d inputs, at most %ld KiB\n", files, use.ru_maxrss);
    // The corpora hold bombs and deep nestings: refused, in bounded memory.
    return files > 0 && use.ru_maxrss < 256L * 1024 ? 0 : 1;
}
