#include "named_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz_named_file(data, size, "subject: {compose: {file: compose.yaml, service: web}}\n");
}
