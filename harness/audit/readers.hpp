// One reader for each kind of file.
#pragma once

#include "audit/audit.hpp"
#include "spec/yaml_reader.hpp"

namespace rogate::audit {

struct Source {
    const std::string& file;
    int line_offset = 0;                    // of a document that is not the file's first
    const spec::Problems* files = nullptr;  // knows the others that places can be in

    SourcePlace place(const spec::Value& value) const {
        const int other = files == nullptr ? 0 : value.place.file;
        return {other == 0 ? file : files->file(other), value.place.line + line_offset, value.place.column};
    }
};

// Null if `value` is no mapping, or has no such key.
const spec::Value* member(const spec::Value* value, std::string_view key);
// Of a scalar; else empty.
std::string text_of(const spec::Value* value);
bool is_true(const spec::Value* value);

void read_dockerfile(std::string_view text, const std::string& file, Audit& audit);
// With all that the file extends and includes.
void read_compose(std::string_view text, const std::string& file, const OtherFiles& others, Audit& audit);
void read_kubernetes(const spec::Value& root, const Source& source, Audit& audit);
void read_scenario(const spec::Value& root, const Source& source, Audit& audit);

// A mount in Docker's short syntax, read as far as it can be: variables stay as they are written.
Mount short_mount(std::string_view text, SourcePlace declared);

}  // namespace rogate::audit
