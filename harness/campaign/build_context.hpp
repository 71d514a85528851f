// The folder that an image is built from, as a tar that is read while it is sent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <rogate/error.hpp>
#include <string>
#include <vector>

#include "base/ignore_patterns.hpp"
#include "base/tar.hpp"

namespace rogate::campaign {

class BuildContext {
  public:
    // Looks `folder` through. `dockerfile`: beside it, or absolute; empty: Dockerfile (or dockerfile).
    // `inline_dockerfile` takes its place where it is not empty. What is left out is said by
    // DOCKERFILE.dockerignore beside the Dockerfile, else by .dockerignore in the folder; both files are sent
    // all the same, since the engine needs them, and itself removes what it was told to ignore.
    // ErrorKind::usage names what cannot be read.
    static Result<BuildContext> of(std::string folder, const std::string& dockerfile,
                                   const std::string& inline_dockerfile);

    // Its name in the tar.
    const std::string& dockerfile() const { return dockerfile_; }
    const std::string& dockerfile_text() const { return dockerfile_text_; }
    // Names in the tar, in its order.
    std::vector<std::string> names() const;

    // The next piece of the tar; empty at its end. ErrorKind::io: a file changed, or went away.
    Result<std::string> next();

  private:
    BuildContext() = default;
    struct Close {
        void operator()(int* file) const;
    };
    Result<> find_dockerfile(const std::string& dockerfile, const std::string& inline_dockerfile);
    Result<> read_patterns(const std::string& dockerfile);
    Result<> look(const std::string& folder);
    Result<> begin_entry();
    Result<> add_text(const std::string& name, const std::string& text);
    Result<> go_on_with_file();

    std::string folder_, dockerfile_, dockerfile_text_;
    bool brings_dockerfile_ = false;            // it is none of the folder's files
    std::map<std::string, std::string> texts_;  // sent in place of, or beside, the folder's files
    IgnorePatterns ignored_;
    std::vector<std::string> files_;
    std::size_t at_ = 0;
    std::unique_ptr<std::string> bytes_;  // where libarchive writes: it has its address
    ArchivePtr writer_;
    std::unique_ptr<int, Close> open_;
    std::uint64_t left_ = 0;  // of the open file
    bool is_over_ = false;
};

}  // namespace rogate::campaign
