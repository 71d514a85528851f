#include <algorithm>
#include <array>
#include <cctype>

#include "secrets/forms.hpp"
#include "secrets/names.hpp"
#include "secrets/text.hpp"

namespace rogate::secrets {

namespace {

// Short options of tools that take a credential. `attached`: in the same word ("-px"); `user`: a user's name
// and a password with a colon between them.
struct ToolOption {
    std::string_view tool, option;
    bool attached = false, user = false;
};
constexpr ToolOption tool_options[] = {{"mysql", "-p", true},
                                       {"mysqldump", "-p", true},
                                       {"mysqladmin", "-p", true},
                                       {"mysqlimport", "-p", true},
                                       {"mysqlcheck", "-p", true},
                                       {"mysqlshow", "-p", true},
                                       {"mysqlsh", "-p", true},
                                       {"mariadb", "-p", true},
                                       {"mariadb-dump", "-p", true},
                                       {"mariadb-admin", "-p", true},
                                       {"mariadb-check", "-p", true},
                                       {"redis-cli", "-a"},
                                       {"valkey-cli", "-a"},
                                       {"keydb-cli", "-a"},
                                       {"mongo", "-p"},
                                       {"mongosh", "-p"},
                                       {"mongodump", "-p"},
                                       {"mongorestore", "-p"},
                                       {"mongoimport", "-p"},
                                       {"mongoexport", "-p"},
                                       {"sshpass", "-p"},
                                       {"sshpass", "-p", true},
                                       {"docker", "-p"},
                                       {"podman", "-p"},
                                       {"helm", "-p"},
                                       {"skopeo", "-p"},
                                       {"buildah", "-p"},
                                       {"ldapsearch", "-w"},
                                       {"ldapadd", "-w"},
                                       {"ldapmodify", "-w"},
                                       {"ldapdelete", "-w"},
                                       {"ldapwhoami", "-w"},
                                       {"ldappasswd", "-s"},
                                       {"ldappasswd", "-w"},
                                       {"sqlcmd", "-P"},
                                       {"bcp", "-P"},
                                       {"cqlsh", "-p"},
                                       {"clickhouse-client", "--password"},
                                       {"influx", "-t"},
                                       {"influx", "-p"},
                                       {"mosquitto_pub", "-P"},
                                       {"mosquitto_sub", "-P"},
                                       {"mosquitto_rr", "-P"},
                                       {"zip", "-P"},
                                       {"unzip", "-P"},
                                       {"7z", "-p", true},
                                       {"7za", "-p", true},
                                       {"openssl", "-k"},
                                       {"openssl", "-pass"},
                                       {"openssl", "-passin"},
                                       {"openssl", "-passout"},
                                       {"ipmitool", "-P"},
                                       {"snmpget", "-A"},
                                       {"snmpwalk", "-A"},
                                       {"curl", "-u", false, true},
                                       {"curl", "-u", true, true},
                                       {"curl", "--user", false, true},
                                       {"curl", "-U", false, true},
                                       {"curl", "--proxy-user", false, true},
                                       {"curl", "-b"},
                                       {"curl", "--cookie"},
                                       {"curl", "--oauth2-bearer"},
                                       {"http", "-a", false, true},
                                       {"https", "-a", false, true},
                                       {"http", "--auth", false, true},
                                       {"ab", "-A", false, true},
                                       {"rclone", "--pass"},
                                       {"kinit", "--password"},
                                       {"wget", "--password"},
                                       {"wget", "--http-password"},
                                       {"rabbitmqadmin", "-p"},
                                       {"etcdctl", "--user", false, true},
                                       {"elasticsearch-users", "-p"},
                                       {"keytool", "-storepass"},
                                       {"keytool", "-keypass"},
                                       {"kadmin", "-w"},
                                       {"smbclient", "-U", false, true},
                                       {"lftp", "-u", false, true}};

// Commands whose words by themselves are credentials: from the word behind `verb`, how many words further on.
struct ToolWord {
    std::string_view tool, verb;
    std::size_t further;
};
constexpr ToolWord tool_words[] = {{"rabbitmqctl", "add_user", 2},
                                   {"rabbitmqctl", "change_password", 2},
                                   {"rabbitmqctl", "authenticate_user", 2},
                                   {"vault", "login", 1},
                                   {"valkey-cli", "AUTH", 1},
                                   {"redis-cli", "AUTH", 1},
                                   {"redis-cli", "auth", 1},
                                   {"redis-cli", "requirepass", 1}};

std::string_view base_name(std::string_view word) {
    return word.substr(word.rfind('/') + 1);
}

void add_given(std::string_view value, bool user, Secrets& found) {
    if (user) {
        std::size_t parted = value.find(':');
        if (parted == std::string_view::npos)
            parted = std::min(value.find('%'), value.find(','));  // smbclient, lftp
        if (parted == std::string_view::npos) return;
        if (!is_no_value(value.substr(parted + 1))) {
            add_secret(found, value, SecretKind::secret);
            add_secret(found, value.substr(parted + 1), SecretKind::secret);
        }
        return;
    }
    for (const std::string_view form : {"pass:", "env:", "file:", "fd:"})
        if (value.starts_with(form)) {
            if (form == "pass:") add_secret(found, value.substr(5), SecretKind::secret);
            return;
        }
    find_in_value("password", value, found);
}

// The words of each simple command of a script. No shell: enough of one to find what is given to whom.
class Script {
  public:
    explicit Script(std::string_view text) : text_(text) {}
    std::vector<std::vector<std::string>> commands() {
        for (std::size_t at = 0; at < text_.size(); ++at) at = take(at);
        end_command();
        return std::move(commands_);
    }

  private:
    void end_word() {
        if (begun_) words_.push_back(std::move(word_));
        word_.clear();
        begun_ = false;
    }
    void end_command() {
        end_word();
        if (!words_.empty()) commands_.push_back(std::move(words_));
        words_.clear();
    }
    std::size_t take(std::size_t at) {
        const char c = text_[at];
        if (c == '\'') {
            const std::size_t end = std::min(text_.find('\'', at + 1), text_.size());
            word_ += text_.substr(at + 1, end - at - 1);
            begun_ = true;
            return end;
        }
        if (c == '"') {
            begun_ = true;
            for (++at; at < text_.size() && text_[at] != '"'; ++at) {
                if (text_[at] == '\\' && at + 1 < text_.size() &&
                    std::string_view("\"\\$`").find(text_[at + 1]) != std::string_view::npos)
                    ++at;
                word_ += text_[at];
            }
            return at;
        }
        if (c == '\\' && at + 1 < text_.size()) {
            if (text_[at + 1] != '\n') {
                word_ += text_[at + 1];
                begun_ = true;
            }
            return at + 1;
        }
        if (c == ' ' || c == '\t' || c == '\r') {
            end_word();
        } else if (std::string_view(";&|\n()`").find(c) != std::string_view::npos) {
            end_command();
        } else {
            word_ += c;
            begun_ = true;
        }
        return at;
    }

    std::string_view text_;
    std::string word_;
    bool begun_ = false;
    std::vector<std::string> words_;
    std::vector<std::vector<std::string>> commands_;
};

class Command {
  public:
    Command(const std::vector<std::string>& words, Secrets& found, int depth)
        : words_(words), found_(found), depth_(depth) {}

    void read() {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            one(i);
            if (depth_ > 0 && words_[i].find_first_of(" \t\n") != std::string_view::npos)
                for (const auto& each : Script(words_[i]).commands())
                    Command(each, found_, depth_ - 1).read();
        }
    }

  private:
    const std::string* behind(std::size_t i) const {
        return i + 1 < words_.size() ? &words_[i + 1] : nullptr;
    }

    void one(std::size_t i) {
        const std::string_view word = words_[i];
        find_in_text(word, found_);
        const std::size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const bool is_option = word.starts_with('-');
        const bool is_one_name = !name.empty() && std::ranges::all_of(name, [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
        });
        if (equals != std::string_view::npos && is_one_name && is_credential_name(name))
            find_in_value(name, word.substr(equals + 1), found_);
        if (is_option && equals == std::string_view::npos && word.size() > 2 && is_credential_name(word))
            if (const std::string* value = behind(i); value != nullptr && !value->starts_with('-'))
                find_in_value(word, *value, found_);
        // curl -H "Authorization: Bearer x", wget --header=…
        if (const std::size_t colon = word.find(':'); colon != std::string_view::npos) {
            std::string_view header = word.substr(0, colon);
            if (header.starts_with("--header=")) header.remove_prefix(9);
            if (header.find(' ') == std::string_view::npos && is_credential_name(header) &&
                !word.substr(colon).starts_with("://"))
                find_in_header(word.substr(std::min(word.find_first_not_of(' ', colon + 1), word.size())),
                               found_);
        }
        tools(i);
    }

    void tools(std::size_t i) {
        const std::string_view word = words_[i];
        if (std::ranges::find(words_, word) == words_.end()) return;
        for (std::size_t tool = 0; tool < i; ++tool) {
            const std::string_view program = base_name(words_[tool]);
            for (const ToolOption& each : tool_options) {
                if (each.tool != program || !word.starts_with(each.option)) continue;
                if (each.attached && word.size() > each.option.size())
                    add_given(word.substr(each.option.size()), each.user, found_);
                else if (!each.attached && word.size() == each.option.size() && behind(i) != nullptr)
                    add_given(*behind(i), each.user, found_);
                else if (!each.attached && each.option.starts_with("--") &&
                         word.substr(each.option.size()).starts_with('='))
                    add_given(word.substr(each.option.size() + 1), each.user, found_);
            }
            for (const ToolWord& each : tool_words)
                if (each.tool == program && each.verb == word && i + each.further < words_.size())
                    add_given(words_[i + each.further], false, found_);
        }
    }

    const std::vector<std::string>& words_;
    Secrets& found_;
    int depth_;
};

}  // namespace

void find_in_command(const std::vector<std::string>& words, Secrets& found) {
    Command(words, found, 4).read();
}

}  // namespace rogate::secrets
