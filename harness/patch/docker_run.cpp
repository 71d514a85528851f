#include "patch/docker_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/writable_place.hpp"
#include "patch/capabilities.hpp"
#include "patch/job.hpp"
#include "patch/shell_words.hpp"
#include "patch/volume_entry.hpp"

namespace rogate::patch {

namespace {

// The flags of `docker run` that take no value (docker 28: cli/command/container/run.go, opts.go).
constexpr std::array<std::string_view, 15> no_value = {"--detach",
                                                       "--interactive",
                                                       "--tty",
                                                       "--rm",
                                                       "--privileged",
                                                       "--read-only",
                                                       "--init",
                                                       "--publish-all",
                                                       "--no-healthcheck",
                                                       "--oom-kill-disable",
                                                       "--sig-proxy",
                                                       "--disable-content-trust",
                                                       "--use-api-socket",
                                                       "--quiet",
                                                       "--help"};
constexpr std::string_view short_no_value = "ditPq";

// A mount that the command line names: which bytes of which word are its value.
struct Flag {
    enum class Kind { volume, mount, tmpfs, env, cap_add, cap_drop, security_opt } kind = Kind::volume;
    const Word* word = nullptr;
    std::size_t at = 0;  // of the value in the word
    std::string value() const { return word->value.substr(at); }
};

struct Field {
    std::string name, value;
    std::size_t at = 0, length = 0;  // of the whole field in the value
};

std::vector<Field> fields_of(const std::string& value) {
    std::vector<Field> fields;
    std::size_t at = 0;
    for (const std::string& part : split_outside(value, ',')) {
        const std::size_t equals = part.find('=');
        fields.push_back({part.substr(0, equals), equals == std::string::npos ? "" : part.substr(equals + 1),
                          at, part.size()});
        at += part.size() + 1;
    }
    return fields;
}

std::string field(const std::vector<Field>& fields, std::initializer_list<std::string_view> names) {
    for (const Field& each : fields)
        if (std::ranges::find(names, each.name) != names.end()) return each.value;
    return "";
}

class Command {
  public:
    explicit Command(const std::string& text) : text_(text) {}

    Result<> read();
    Result<std::optional<Flag>> locate(const std::string& target) const;
    Result<> set_read_only(const CampaignResult& result, const Flag& flag, const std::string& target);
    bool is_read_only(const Flag& flag) const;
    std::string bind_source(const Flag& flag) const;
    // Of a part of a volume that is mounted; empty: all of it is.
    std::string subpath(const Flag& flag) const {
        return flag.kind == Flag::Kind::mount ? field(fields_of(flag.value()), {"volume-subpath"}) : "";
    }
    // A name for a new volume on `target` that neither the command line nor `result` has.
    std::string fresh_volume(const CampaignResult& result, const std::string& target);
    void add(const std::string& flag) { added_.push_back(flag); }
    bool read_only_root() const { return root_; }
    Result<> set_root();
    Result<> set_variable(const std::string& name, const std::string& value);
    void take_out(const Flag& flag);
    Result<> set_capabilities(const Recommendation& advice);
    std::vector<Edit> edits() const;

  private:
    std::string target_of(const Flag& flag) const;
    std::size_t place_in(const Flag& flag, std::size_t at) const { return flag.word->places[flag.at + at]; }
    void take_flag(std::size_t& i);
    void take_value(std::string_view name, const Word& word, std::size_t at);

    const std::string& text_;
    std::vector<Word> words_;
    std::vector<Flag> flags_;
    std::size_t flags_end_ = 0;  // the image's word, or "--" before it
    bool root_ = false;
    const Word* root_word_ = nullptr;  // --read-only=false
    std::vector<std::string> added_, names_;
    std::vector<Edit> edits_;
};

Result<> Command::read() {
    auto words = shell_words(text_);
    if (!words) return fail(ErrorKind::usage, "the command line has a quote or bracket that is never closed");
    words_ = std::move(*words);
    std::size_t i = 0;
    // "sudo docker run", "docker --host … container run", "podman run".
    while (i < words_.size() && words_[i].value != "run" && words_[i].value != "create") ++i;
    if (i >= words_.size())
        return fail(ErrorKind::usage, "no `docker run` in the command line; give it in full, as you type it");
    for (++i; i < words_.size() && words_[i].value.size() > 1 && words_[i].value[0] == '-' &&
              words_[i].value != "--";
         ++i)
        take_flag(i);
    flags_end_ = i;
    if (i < words_.size() && words_[i].value == "--") ++i;
    if (i >= words_.size()) return fail(ErrorKind::usage, "no image in the command line");
    return {};
}

void Command::take_value(std::string_view name, const Word& word, std::size_t at) {
    if (name == "--volume" || name == "-v") flags_.push_back({Flag::Kind::volume, &word, at});
    if (name == "--mount") flags_.push_back({Flag::Kind::mount, &word, at});
    if (name == "--tmpfs") flags_.push_back({Flag::Kind::tmpfs, &word, at});
    if (name == "--env" || name == "-e") flags_.push_back({Flag::Kind::env, &word, at});
    if (name == "--cap-add") flags_.push_back({Flag::Kind::cap_add, &word, at});
    if (name == "--cap-drop") flags_.push_back({Flag::Kind::cap_drop, &word, at});
    if (name == "--security-opt") flags_.push_back({Flag::Kind::security_opt, &word, at});
}

void Command::take_flag(std::size_t& i) {
    const Word& word = words_[i];
    const std::string& text = word.value;
    if (text.starts_with("--")) {
        const std::size_t equals = text.find('=');
        const std::string name = text.substr(0, equals);
        if (name == "--read-only") {
            root_ = equals == std::string::npos || text.substr(equals + 1) == "true" ||
                    text.substr(equals + 1) == "1";
            root_word_ = &word;
        }
        if (equals != std::string::npos)
            take_value(name, word, equals + 1);
        else if (std::ranges::find(no_value, name) == no_value.end() && i + 1 < words_.size())
            take_value(name, words_[++i], 0);
        return;
    }
    // "-dit", "-itv a:b", "-va:b": all but the last one take no value.
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (short_no_value.find(text[at]) != std::string_view::npos) continue;
        const std::string name{'-', text[at]};
        if (at + 1 < text.size())
            take_value(name, word, text[at + 1] == '=' ? at + 2 : at + 1);
        else if (i + 1 < words_.size())
            take_value(name, words_[++i], 0);
        return;
    }
}

std::string Command::target_of(const Flag& flag) const {
    const std::string value = flag.value();
    switch (flag.kind) {
        case Flag::Kind::mount:
            return field(fields_of(value), {"target", "dst", "destination"});
        case Flag::Kind::tmpfs:
            return parse_tmpfs(value).target;
        case Flag::Kind::env:
        case Flag::Kind::cap_add:
        case Flag::Kind::cap_drop:
        case Flag::Kind::security_opt:
            return "";
        case Flag::Kind::volume:
            break;
    }
    const auto mount = parse_short(value);
    return mount ? mount->target : "";
}

Result<std::optional<Flag>> Command::locate(const std::string& target) const {
    std::optional<Flag> found;
    for (const Flag& flag : flags_) {
        if (flag.kind >= Flag::Kind::env) continue;  // no mount
        const std::string text = target_of(flag);
        if (has_variable(text) && could_be(text, target))
            return fail(
                ErrorKind::usage,
                fmt::format(
                    "{}: whether this is the mount on {} depends on a variable; write its target in full",
                    flag.value(), target));
        if (normalised(text) != target) continue;
        if (found)
            return fail(ErrorKind::usage,
                        fmt::format("two mounts on {} in the command line; keep one of the two", target));
        found = flag;
    }
    return found;
}

Result<> Command::set_variable(const std::string& name, const std::string& value) {
    for (const Flag& flag : flags_) {
        if (flag.kind != Flag::Kind::env) continue;
        const std::string said = flag.value();
        if (said == name + "=" + value) return {};
        if (said == name || said.starts_with(name + "="))
            return fail(ErrorKind::usage,
                        fmt::format("{} is set to something else than '{}', which the run had", name, value));
    }
    add("--env " + shell_quoted(name + "=" + value));
    return {};
}

// With what is between it and the next word.
void Command::take_out(const Flag& flag) {
    const Word& first = flag.at == 0 ? *(flag.word - 1) : *flag.word;
    edits_.push_back({first.begin, (flag.word + 1)->begin, ""});
}

Result<> Command::set_capabilities(const Recommendation& advice) {
    std::set<std::string> missing;
    if (advice.capabilities) missing.insert(advice.capabilities->begin(), advice.capabilities->end());
    bool drops_all = false, forbids = false;
    for (const Flag& flag : flags_) {
        const std::string name = plain_capability(flag.value());
        drops_all = drops_all || (flag.kind == Flag::Kind::cap_drop && name == "ALL");
        forbids = forbids || (flag.kind == Flag::Kind::security_opt && is_no_new_privileges(flag.value()));
        if (flag.kind == Flag::Kind::cap_add && advice.capabilities && missing.erase(name) == 0)
            take_out(flag);
    }
    if (advice.capabilities && !drops_all) add("--cap-drop ALL");
    for (const std::string& each : missing) add("--cap-add " + shell_quoted(each));
    if (advice.no_new_privileges && !forbids) add("--security-opt no-new-privileges:true");
    return {};
}

bool Command::is_read_only(const Flag& flag) const {
    const std::string value = flag.value();
    if (flag.kind == Flag::Kind::mount) {
        bool read_only = false;
        for (const Field& each : fields_of(value))
            if (each.name == "readonly" || each.name == "ro")
                read_only = each.value.empty() || each.value == "true" || each.value == "1";
        return read_only;
    }
    const auto mount =
        flag.kind == Flag::Kind::tmpfs ? std::optional(parse_tmpfs(value)) : parse_short(value);
    return mount && (flag.kind == Flag::Kind::tmpfs || !mount->source.empty()) &&
           !short_read_only(value, *mount);
}

std::string Command::bind_source(const Flag& flag) const {
    const std::string value = flag.value();
    if (flag.kind == Flag::Kind::tmpfs) return "";
    std::string source;
    if (flag.kind == Flag::Kind::mount) {
        const auto fields = fields_of(value);
        if (field(fields, {"type"}) == "bind") source = field(fields, {"source", "src"});
    } else if (const auto mount = parse_short(value);
               mount && (mount->source.starts_with('/') || mount->source.starts_with('.'))) {
        source = mount->source;
    }
    // What a shell fills in cannot be written twice without its quotes.
    return has_variable(source) ? "" : source;
}

std::string Command::fresh_volume(const CampaignResult& result, const std::string& target) {
    std::vector<std::string> taken = names_;
    for (const MountResult& each : result.mounts) taken.push_back(each.mount.source);
    for (const Flag& flag : flags_) {
        if (flag.kind == Flag::Kind::mount)
            taken.push_back(field(fields_of(flag.value()), {"source", "src"}));
        else if (const auto mount = parse_short(flag.value()); mount && flag.kind == Flag::Kind::volume)
            taken.push_back(mount->source);
    }
    names_.push_back(volume_name(result.scenario.name, target, '_', taken));
    return names_.back();
}

Result<> Command::set_read_only(const CampaignResult& result, const Flag& flag, const std::string& target) {
    if (is_read_only(flag)) return {};
    const std::string value = flag.value();
    if (flag.kind == Flag::Kind::mount) {
        for (const Field& each : fields_of(value)) {
            if (each.name != "readonly" && each.name != "ro") continue;
            edits_.push_back(
                {place_in(flag, each.at), place_in(flag, each.at + each.length - 1) + 1, "readonly"});
            return {};
        }
        if (field(fields_of(value), {"source", "src"}).empty() &&
            field(fields_of(value), {"type"}) != "tmpfs")
            return fail(
                ErrorKind::usage,
                fmt::format("{} is an anonymous volume, which no engine mounts read-only; give it a source",
                            target));
        edits_.push_back({place_in(flag, value.size()), place_in(flag, value.size()), ",readonly"});
        return {};
    }
    const auto mount =
        flag.kind == Flag::Kind::tmpfs ? std::optional(parse_tmpfs(value)) : parse_short(value);
    if (mount->variable_options)
        return fail(
            ErrorKind::usage,
            fmt::format("the options of the mount on {} come from a variable; make it 'ro' by hand", target));
    if (flag.kind == Flag::Kind::volume && mount->source.empty()) {
        const std::string name = fresh_volume(result, target);
        edits_.push_back({place_in(flag, 0), place_in(flag, 0), name + ":"});
        edits_.push_back({place_in(flag, value.size()), place_in(flag, value.size()), ":ro"});
        return {};
    }
    const auto change = short_read_only(value, *mount);
    const std::size_t begin = place_in(flag, change->at);
    edits_.push_back({begin,
                      change->length == 0 ? begin : place_in(flag, change->at + change->length - 1) + 1,
                      change->text});
    return {};
}

Result<> Command::set_root() {
    if (root_) return {};
    if (root_word_ == nullptr) {
        added_.insert(added_.begin(), "--read-only");
        return {};
    }
    edits_.push_back({root_word_->begin, root_word_->end, "--read-only"});
    return {};
}

// New flags go behind the others, in front of the image, each on a line of its own if the command has one for
// each.
std::vector<Edit> Command::edits() const {
    std::vector<Edit> all = edits_;
    const std::size_t at = words_[flags_end_].begin;
    const std::size_t line = at == 0 ? 0 : text_.find_last_of('\n', at - 1) + 1;
    const bool on_lines =
        line > 1 && text_.find_first_not_of(" \t", line) == at &&
        (text_.substr(0, line).ends_with("\\\n") || text_.substr(0, line).ends_with("\\\r\n"));
    const std::string separator =
        on_lines ? " \\" + line_break_of(text_) + text_.substr(line, at - line) : " ";
    for (const std::string& flag : added_) all.push_back({at, at, flag + separator});
    return all;
}

tl::unexpected<Error> gone(const std::string& target) {
    return fail(ErrorKind::usage,
                fmt::format("the command line has no mount on {}; it has changed since the run", target));
}

// One record of CSV, as docker reads it.
std::string mount_field(const std::string& name, const std::string& value) {
    const std::string whole = name + "=" + value;
    if (whole.find_first_of(",\"") == std::string::npos) return whole;
    std::string quoted = "\"";
    for (const char c : whole) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + '"';
}

Result<> add_subpath(Command& command, const std::optional<Flag>& parent, const WritablePlace& place,
                     const WritablePath& writable) {
    const std::string within = parent ? command.subpath(*parent) : "";
    command.add(
        "--mount " +
        shell_quoted(fmt::format(
            "type=volume,{},{},{}", mount_field("source", place.source), mount_field("target", writable.path),
            mount_field("volume-subpath", within.empty() ? place.below : within + "/" + place.below))));
    return {};
}

Result<> add_writable(const CampaignResult& result, Command& command, const WritablePath& writable,
                      CommandChange& change) {
    const auto there = command.locate(writable.path);
    if (!there) return fail(there.error());
    if (*there) {
        if (command.is_read_only(**there))
            return fail(ErrorKind::usage,
                        fmt::format("{} has to be writable, and is mounted read-only", writable.path));
        return {};
    }
    const auto parent = command.locate(writable.mount);
    if (!parent) return fail(parent.error());
    const Mount* mount = nullptr;
    for (const MountResult& each : result.mounts)
        if (each.mount.target == writable.mount) mount = &each.mount;
    if (const std::string note = mount_point_note(writable, mount); !note.empty())
        change.notes.push_back(note);
    if (writable.as == WritableAs::tmpfs) {
        command.add(flag_for(writable, ""));
        return {};
    }
    const WritablePlace place = writable_place(writable, result);
    switch (place.how) {
        case WritablePlace::How::tmpfs:
            break;
        case WritablePlace::How::move:
            return fail(
                ErrorKind::usage,
                fmt::format(
                    "{} has data, and this engine cannot mount a part of a volume (API 1.45, Docker 26): {}",
                    writable.path, how_to_move(place, writable.path, result)));
        case WritablePlace::How::subpath:
            return add_subpath(command, *parent, place, writable);
        case WritablePlace::How::bind: {
            // Where a shell says where that is, the run knows it, too.
            std::string source = *parent ? command.bind_source(**parent) : "";
            if (source.empty()) source = place.source;
            command.add(flag_for(writable, source + (source.ends_with('/') ? "" : "/") + place.below));
            break;
        }
        case WritablePlace::How::new_volume: {
            const std::string source = command.fresh_volume(result, writable.path);
            change.notes.push_back(new_volume_note(writable.path, source));
            command.add(flag_for(writable, source));
        }
    }
    return {};
}

}  // namespace

std::string flag_for(const WritablePath& writable, const std::string& source) {
    if (writable.as != WritableAs::tmpfs) return "-v " + shell_quoted(source + ":" + writable.path);
    const std::string& options = writable.tmpfs_options;
    return "--tmpfs " + shell_quoted(writable.path + (options.empty() ? "" : ":" + options));
}

Result<CommandChange> change_command(const CampaignResult& result, const std::string& text) {
    Command command(text);
    CommandChange change;
    if (auto read = command.read(); !read) return fail(std::move(read.error()));
    for (const std::string& target : result.recommendation.read_only) {
        if (target == "/") {
            if (auto done = command.set_root(); !done) return fail(std::move(done.error()));
            continue;
        }
        auto found = command.locate(target);
        if (!found) return fail(std::move(found.error()));
        const auto mount = std::ranges::find_if(
            result.mounts, [&](const auto& each) { return each.mount.target == target; });
        const bool of_image = mount != result.mounts.end() && mount->mount.type == MountType::anonymous;
        if (*found) {
            if (auto done = command.set_read_only(result, **found, target); !done)
                return fail(std::move(done.error()));
        } else if (of_image) {
            command.add("-v " + shell_quoted(command.fresh_volume(result, target) + ":" + target + ":ro"));
            change.notes.push_back(fmt::format(
                "{} is a VOLUME of the image; it gets a named volume, filled from the image", target));
        } else if (mount == result.mounts.end() || !mount->mount.read_only) {
            return gone(target);
        }
    }
    for (const auto& [name, value] : result.recommendation.environment)
        if (auto done = command.set_variable(name, value); !done) return fail(std::move(done.error()));
    if (auto done = command.set_capabilities(result.recommendation); !done)
        return fail(std::move(done.error()));
    for (const WritablePath& writable : result.recommendation.writable)
        if (auto done = add_writable(result, command, writable, change); !done)
            return fail(std::move(done.error()));
    change.edits = command.edits();
    return change;
}

Result<std::string> patch_command(const CampaignResult& result, const std::string& command,
                                  std::vector<std::string>& notes) {
    auto change = change_command(result, command);
    if (!change) return fail(std::move(change.error()).with_context("--command"));
    notes = change->notes;
    std::string text = apply_edits(command, change->edits);
    const auto again = change_command(result, text);
    if (!again || !again->edits.empty())
        return fail(ErrorKind::internal,
                    "the changed command line does not read as intended; nothing was changed");
    return text;
}

}  // namespace rogate::patch
