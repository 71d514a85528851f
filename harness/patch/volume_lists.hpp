// The lists `volumes` and `tmpfs` of a Compose service or a scenario's subject: finding the entry of a mount,
// making it read-only, adding entries.
#pragma once

#include <string>
#include <vector>

#include "patch/job.hpp"
#include "patch/reach.hpp"
#include "patch/volume_entry.hpp"

namespace rogate::patch {

class VolumeLists {
  public:
    // `keys`: how the list of volumes can be called here. `dollars`: '$' begins a variable here.
    VolumeLists(Job& job, OpenFile& file, NodePtr service, std::string who, std::vector<std::string> keys,
                bool dollars);

    struct Entry {
        std::size_t list = 0, item = 0;
        bool exact = false;  // by its target; else by its place alone
    };
    // The entry of `target`; nothing if there is none. Two of them are refused.
    std::optional<Entry> locate(const std::string& target, const Mount* mount);
    // It has variables and might be the one; for a message. Null if there is none.
    const Node* doubtful(const std::string& target) const;
    NodePtr value(const Entry& entry) const;
    bool is_tmpfs(const Entry& entry) const { return lists_[entry.list].tmpfs; }
    bool is_read_only(const Entry& entry) const;
    // Source of a bind as it is written; empty if it is none.
    std::string bind_source(const Entry& entry) const;

    // `named`: makes a volume's name for a target (and says it to whom it concerns).
    template <class Named>
    void set_read_only(const Entry& entry, const std::string& target, Named named);
    void add_volume(NodePtr entry) { addition(false).push_back(std::move(entry)); }
    void add_tmpfs(const std::string& path, const std::string& options);
    // Takes away what makes it read-only.
    void set_writable(const Entry& entry, const std::string& target);
    // `read_only` of the service itself, for "/".
    void set_read_only_root(bool read_only = true);
    // Makes what was added; to be called once, at the end.
    void finish();

    OpenFile& file() { return file_; }
    const NodePtr& service() const { return service_; }
    Sharing sharing;
    // Later files take the place of the earlier ones (!override, !reset).
    bool replaces_earlier() const;

  private:
    struct List {
        std::string key;
        bool tmpfs = false;
        Found found = {};
        NodePtr node = {};    // the sequence, or a scalar's stand-in; null: not there
        bool single = false;  // tmpfs: /run
        bool copied = false;  // it is shared, and gets a copy of its own
        std::vector<NodePtr> added = {};
    };
    std::vector<NodePtr>& addition(bool tmpfs);
    NodePtr& slot(const Entry& entry);
    bool may_change(const Node& node, const std::string& what);
    bool own_copy(List& list, const std::string& what);
    void change_text(const Entry& entry, const std::string& text, const std::string& target);
    void change_mapping(const Entry& entry, const std::string& target, const std::string& source,
                        bool read_only = true);
    std::string written(const std::string& path) const;

    Job& job_;
    OpenFile& file_;
    NodePtr service_;
    std::string who_;
    bool dollars_;
    std::vector<List> lists_;
    bool read_only_root_ = false;
};

// An anonymous volume has no source.
bool is_anonymous(const NodePtr& entry, bool tmpfs);

template <class Named>
void VolumeLists::set_read_only(const Entry& entry, const std::string& target, Named named) {
    if (is_read_only(entry)) return;
    const NodePtr node = value(entry);
    const bool anonymous = is_anonymous(node, is_tmpfs(entry));
    if (node->kind == Node::Kind::mapping) {
        change_mapping(entry, target, anonymous ? named(target) : std::string());
        return;
    }
    if (anonymous) {
        change_text(entry, named(target) + ":" + node->text + ":ro", target);
        return;
    }
    const auto mount = is_tmpfs(entry) ? parse_tmpfs(node->text) : *parse_short(node->text);
    if (mount.variable_options) {
        job_.refuse(file_, *node,
                    "the options of the mount on " + target +
                        " come from a variable, which cannot be changed here; make it 'ro' by hand");
        return;
    }
    std::string text = node->text;
    if (const auto change = short_read_only(text, mount))
        text.replace(change->at, change->length, change->text);
    change_text(entry, text, target);
}

}  // namespace rogate::patch
