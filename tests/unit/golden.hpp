// The comparison with golden files.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace rogate::test {

// Golden files are what a person has looked at; ROGATE_UPDATE_GOLDEN=1 writes them anew.
inline void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(ROGATE_SOURCE_DIR "/tests/golden/") + name;
    if (std::getenv("ROGATE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    std::ifstream file(path);
    std::ostringstream wanted;
    wanted << file.rdbuf();
    EXPECT_EQ(text, wanted.str()) << name;
}

}  // namespace rogate::test
