// The files of a Compose project -> one model: read, interpolated, included, extended and merged.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "spec/env_file.hpp"
#include "spec/fields.hpp"
#include "spec/interpolation.hpp"

namespace rogate::spec {

// A file to read: as the user named it, and where it is.
struct ComposeFile {
    std::string name;
    std::string path;  // absolute
};

class ComposeLoader {
  public:
    // `context` is of the file that names the project (a scenario, or the one Compose file itself).
    ComposeLoader(const Context& context, std::string project_folder);

    // Variables for ${NAME}, behind those of rogate's own environment. Without any, <project folder>/.env.
    void read_env_files(const std::vector<std::string>& paths, Place place);
    // The files, merged in this order; null when one could not be read. `named`: where they are named.
    // `text`: of the only file, which was read already and is file 0 of the problems.
    ValuePtr load(const std::vector<ComposeFile>& files, Place named, const std::string* text = nullptr);

    // Keys of services that are read as if they were not there, beside those of the surroundings.
    void leave_out(std::vector<std::string> keys) { left_out_ = std::move(keys); }
    bool is_left_out(std::string_view key) const;
    // Everything but the names of files stays as it is written, and nothing is checked: for who lists what
    // files declare.
    void read_as_written() { as_written_ = true; }
    const std::string& project_name() const { return project_name_; }
    const std::string& project_folder() const { return project_folder_; }
    std::optional<std::string> variable(const std::string& name) const;
    // Of a file of the project: where its relative paths start.
    Context context_of(Place place) const;
    // Absolute paths; of the files none if one of them is a text that came from elsewhere.
    const std::vector<std::string>& files() const { return files_; }
    const std::vector<std::string>& env_files() const { return env_files_; }
    const std::vector<std::string>& notes() const { return notes_; }
    std::optional<std::string> read(const std::string& path, std::string_view what, const Value& at) const;

  private:
    struct Loaded {
        ValuePtr root;
        std::string folder;
    };
    ValuePtr parse(const ComposeFile& file, const std::string& folder, const std::string* text, Place named);
    ValuePtr interpolated(const ValuePtr& value);
    ValuePtr path_of(const ValuePtr& value);
    // A file as a message names it: from where rogate was started, as the file that refers to it was named.
    std::string shown(const Value& path) const;
    void check_top(const Value& root) const;
    ValuePtr with_includes(const ValuePtr& root, std::string folder);
    ValuePtr include(const Value& entry, std::string folder);
    ValuePtr with_extends(const ValuePtr& root, const ComposeFile& file, const ValuePtr& earlier);
    ValuePtr extended(const std::string& name, const ValuePtr& service, const ValuePtr& services,
                      const ValuePtr& earlier, const ComposeFile& file);
    ValuePtr load_file(const ComposeFile& file, const std::string& folder, const std::string* text,
                       Place named, const ValuePtr& earlier);

    Context context_;
    std::string project_folder_, project_name_;
    Variables variables_;
    std::map<int, std::string> folders_;              // by index of the file
    std::map<std::string, ValuePtr> extended_files_;  // by path
    std::size_t included_ = 0;
    bool as_written_ = false;
    std::vector<std::string> including_, extending_;  // what is on the way, against circles
    std::set<std::string> unset_;
    std::vector<std::string> notes_, left_out_, files_, env_files_;
};

// A path beside `folder`, normalised.
std::string path_in(const std::string& folder, const std::string& path);

}  // namespace rogate::spec
