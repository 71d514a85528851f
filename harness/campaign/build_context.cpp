#include "campaign/build_context.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace rogate::campaign {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece_size = 256U << 10U;
// What comes from elsewhere; the engine takes it away again.
constexpr const char* brought_dockerfile = ".dockerfile.rogate";
constexpr const char* ignore_file = ".dockerignore";

struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

la_ssize_t write_to_text(archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

std::optional<std::string> text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || fs::is_directory(path)) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

tl::unexpected<Error> unreadable(const std::string& path, int error) {
    return fail(ErrorKind::io, fmt::format("{} cannot be read: {}", path, std::strerror(error)));
}

tl::unexpected<Error> changed(const std::string& path) {
    return fail(ErrorKind::io, fmt::format("{} changed while it was sent to the engine", path));
}

tl::unexpected<Error> not_written(archive* writer) {
    return fail(ErrorKind::internal, fmt::format("tar: {}", archive_error_string(writer)));
}

// As docker's client does it: everything is root's.
Entry entry_of(const std::string& name, const struct stat& facts) {
    Entry entry(archive_entry_new());
    const bool is_folder = S_ISDIR(facts.st_mode);
    archive_entry_set_pathname(entry.get(), (name + (is_folder ? "/" : "")).c_str());
    archive_entry_set_mode(entry.get(), facts.st_mode);
    archive_entry_set_mtime(entry.get(), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
    archive_entry_set_size(entry.get(), S_ISREG(facts.st_mode) ? facts.st_size : 0);
    if (S_ISCHR(facts.st_mode) || S_ISBLK(facts.st_mode)) archive_entry_set_rdev(entry.get(), facts.st_rdev);
    return entry;
}

}  // namespace

void BuildContext::Close::operator()(int* file) const {
    close(*file);
    delete file;
}

Result<BuildContext> BuildContext::of(std::string folder, const std::string& dockerfile,
                                      const std::string& inline_dockerfile) {
    BuildContext made;
    made.folder_ = std::move(folder);
    if (!fs::is_directory(made.folder_))
        return fail(ErrorKind::usage, fmt::format("the context {} is no folder", made.folder_));
    if (auto found = made.find_dockerfile(dockerfile, inline_dockerfile); !found)
        return fail(std::move(found.error()));
    if (auto looked = made.look({}); !looked) return fail(std::move(looked.error()));
    for (const auto& [name, text] : made.texts_)
        if (std::ranges::find(made.files_, name) == made.files_.end()) made.files_.push_back(name);
    made.bytes_ = std::make_unique<std::string>();
    made.writer_.reset(archive_write_new());
    archive_write_set_format_pax(made.writer_.get());
    archive_write_set_bytes_per_block(made.writer_.get(), 0);
    archive_write_set_bytes_in_last_block(made.writer_.get(), 1);
    archive_write_open(made.writer_.get(), made.bytes_.get(), nullptr, write_to_text, nullptr);
    return made;
}

Result<> BuildContext::find_dockerfile(const std::string& dockerfile, const std::string& inline_dockerfile) {
    if (!inline_dockerfile.empty()) {
        dockerfile_ = brought_dockerfile;
        dockerfile_text_ = inline_dockerfile;
        brings_dockerfile_ = true;
        return read_patterns({});
    }
    fs::path path = (fs::path(folder_) / (dockerfile.empty() ? "Dockerfile" : dockerfile)).lexically_normal();
    if (dockerfile.empty() && !fs::exists(path) && fs::exists(fs::path(folder_) / "dockerfile"))
        path = fs::path(folder_) / "dockerfile";
    const auto text = text_of(path.string());
    if (!text)
        return fail(ErrorKind::usage,
                    fmt::format("the Dockerfile {} cannot be read: {}", path.string(),
                                fs::exists(path) ? "it is no readable file" : "there is none"));
    dockerfile_text_ = *text;
    const fs::path inside = path.lexically_relative(fs::path(folder_).lexically_normal());
    brings_dockerfile_ = inside.empty() || *inside.begin() == "..";
    dockerfile_ = brings_dockerfile_ ? brought_dockerfile : inside.string();
    return read_patterns(path.string());
}

Result<> BuildContext::read_patterns(const std::string& dockerfile) {
    std::string from = dockerfile + ".dockerignore";
    auto text = dockerfile.empty() ? std::nullopt : text_of(from);
    const bool is_own = text.has_value();
    if (!is_own) {
        from = (fs::path(folder_) / ignore_file).string();
        text = text_of(from);
    }
    std::vector<std::string> lines = ignore_lines(text.value_or(""));
    const auto with = [&](const std::string& name) -> Result<> {
        auto so_far = IgnorePatterns::of(lines);
        if (!so_far) return fail(std::move(so_far.error()).with_context(from));
        if (so_far->excludes(name)) lines.push_back("!" + name);
        return {};
    };
    if (auto done = with(ignore_file); !done) return done;
    if (auto done = with(dockerfile_); !done) return done;
    auto patterns = IgnorePatterns::of(lines);
    if (!patterns) return fail(std::move(patterns.error()).with_context(from));
    ignored_ = std::move(*patterns);
    // The engine's builder reads .dockerignore for whether it is to take these two away again. A file that
    // the folder does not have must not appear in the image.
    std::string for_engine = text.value_or("") + "\n";
    if (brings_dockerfile_) {
        texts_[brought_dockerfile] = dockerfile_text_;
        for_engine += std::string(brought_dockerfile) + "\n";
    }
    const bool has_one = fs::exists(fs::path(folder_) / ignore_file);
    if (brings_dockerfile_ || (is_own && has_one)) {
        if (!has_one) for_engine += std::string(ignore_file) + "\n";
        texts_[ignore_file] = for_engine;
    }
    return {};
}

Result<> BuildContext::look(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator each(folder_ + "/" + folder, error), end; !error && each != end;
         each.increment(error))
        names.push_back(each->path().filename().string());
    if (error) return unreadable(folder_ + "/" + folder, error.value());
    std::ranges::sort(names);
    for (const std::string& name : names) {
        const std::string path = folder.empty() ? name : folder + "/" + name;
        struct stat facts {};
        if (lstat((folder_ + "/" + path).c_str(), &facts) != 0)
            return unreadable(folder_ + "/" + path, errno);
        const bool is_out = ignored_.excludes(path);
        if (!is_out && !S_ISSOCK(facts.st_mode)) files_.push_back(path);
        if (!S_ISDIR(facts.st_mode) || (is_out && !ignored_.may_include_below(path))) continue;
        if (auto looked = look(path); !looked) return looked;
    }
    return {};
}

std::vector<std::string> BuildContext::names() const {
    return files_;
}

Result<> BuildContext::add_text(const std::string& name, const std::string& text) {
    struct stat facts {};
    facts.st_mode = S_IFREG | 0644;
    facts.st_size = static_cast<off_t>(text.size());
    const Entry entry = entry_of(name, facts);
    if (archive_write_header(writer_.get(), entry.get()) < ARCHIVE_WARN) return not_written(writer_.get());
    if (!text.empty() && archive_write_data(writer_.get(), text.data(), text.size()) < 0)
        return not_written(writer_.get());
    return {};
}

Result<> BuildContext::begin_entry() {
    const std::string& name = files_[at_++];
    if (const auto text = texts_.find(name); text != texts_.end()) return add_text(name, text->second);
    const std::string path = folder_ + "/" + name;
    struct stat facts {};
    if (lstat(path.c_str(), &facts) != 0) return unreadable(path, errno);
    if (S_ISREG(facts.st_mode)) {
        const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file < 0) return unreadable(path, errno);
        open_.reset(new int(file));
        if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) return changed(path);
        left_ = static_cast<std::uint64_t>(facts.st_size);
    }
    const Entry entry = entry_of(name, facts);
    if (S_ISLNK(facts.st_mode)) {
        std::error_code error;
        const fs::path target = fs::read_symlink(path, error);
        if (error) return unreadable(path, error.value());
        archive_entry_set_symlink(entry.get(), target.c_str());
    }
    std::array<char, 64> capability{};
    const ssize_t size = lgetxattr(path.c_str(), "security.capability", capability.data(), capability.size());
    if (size > 0)
        archive_entry_xattr_add_entry(entry.get(), "security.capability", capability.data(),
                                      static_cast<std::size_t>(size));
    if (archive_write_header(writer_.get(), entry.get()) < ARCHIVE_WARN) return not_written(writer_.get());
    return {};
}

Result<> BuildContext::go_on_with_file() {
    const std::string path = folder_ + "/" + files_[at_ - 1];
    std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece_size)), '\0');
    const ssize_t size = bytes.empty() ? 0 : read(*open_, bytes.data(), bytes.size());
    if (size < 0) return unreadable(path, errno);
    if (size == 0 && left_ > 0) return changed(path);
    if (size > 0 && archive_write_data(writer_.get(), bytes.data(), static_cast<std::size_t>(size)) < 0)
        return not_written(writer_.get());
    left_ -= static_cast<std::uint64_t>(size);
    if (left_ == 0) open_.reset();
    return {};
}

Result<std::string> BuildContext::next() {
    while (bytes_->size() < piece_size && !is_over_) {
        Result<> done;
        if (open_)
            done = go_on_with_file();
        else if (at_ < files_.size())
            done = begin_entry();
        else if (is_over_ = true; archive_write_close(writer_.get()) != ARCHIVE_OK)
            done = not_written(writer_.get());
        if (!done) return fail(std::move(done.error()));
    }
    std::string piece = std::move(*bytes_);
    bytes_->clear();
    return piece;
}

}  // namespace rogate::campaign
