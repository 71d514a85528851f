#include "audit/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <rogate/names.hpp>

#include "base/escape.hpp"
#include "report/columns.hpp"

namespace rogate::audit {

namespace {

using nlohmann::ordered_json;
using report::columns;

std::string place(const Found& found) {
    const SourcePlace& at = found.mount.declared;
    return at.line > 0 ? fmt::format("{}:{}:{}", escape_text(at.file), at.line, at.column) : std::string("-");
}

std::string subject(const Found& found) {
    return escape_text(found.name + (found.container.empty() ? "" : "/" + found.container));
}

// Those to try come first, in their order.
std::vector<const Found*> in_order(const Audit& audit) {
    std::vector<const Found*> list;
    for (const Found& found : audit.mounts) list.push_back(&found);
    std::stable_sort(list.begin(), list.end(), [](const Found* a, const Found* b) {
        return (a->order == 0 ? ~0U : static_cast<unsigned>(a->order)) <
               (b->order == 0 ? ~0U : static_cast<unsigned>(b->order));
    });
    return list;
}

using Row = std::array<std::string, 8>;
constexpr std::array<std::string_view, 8> headings = {"TRY", "MODE",       "MOUNT", "TYPE",
                                                      "OF",  "LOOKS LIKE", "WHY",   "DECLARED"};

Row row(const Found& found) {
    return {found.order > 0 ? std::to_string(found.order) : "-",
            found.mount.read_only ? "ro" : "rw",
            escape_text(found.mount.target),
            std::string(rogate::to_string(found.mount.type)),
            subject(found),
            std::string(to_string(found.looks)),
            found.why,
            place(found)};
}

std::string summary(const Audit& audit) {
    const auto ro = std::count_if(audit.mounts.begin(), audit.mounts.end(),
                                  [](const Found& found) { return found.mount.read_only; });
    const auto worth = std::count_if(audit.mounts.begin(), audit.mounts.end(),
                                     [](const Found& found) { return found.order > 0; });
    return fmt::format(
        "{} mounts declared, {} read-only, {} worth trying; they were guessed from their names: "
        "`rogate run` tells",
        audit.mounts.size(), ro, worth);
}

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::string_view("\\`*_[]|#<>&@~").find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

std::string render_table(const Audit& audit) {
    std::vector<Row> rows;
    for (const Found* found : in_order(audit)) rows.push_back(row(*found));
    std::array<std::size_t, 8> widths{};
    for (std::size_t i = 0; i < 8; ++i) {
        widths[i] = headings[i].size();
        for (const Row& each : rows)
            widths[i] = std::max(widths[i], std::min<std::size_t>(72, columns(each[i])));
    }
    std::string out;
    const auto line = [&](const auto& cells) {
        std::string text;
        for (std::size_t i = 0; i < 8; ++i) {
            text += cells[i];
            const std::size_t size = columns(cells[i]);
            if (i < 7) text.append((size < widths[i] ? widths[i] - size : 0) + 2, ' ');
        }
        out += text + "\n";
    };
    if (!rows.empty()) line(headings);
    for (const Row& each : rows) line(each);
    return out + (rows.empty() ? "" : "\n") + summary(audit) + "\n";
}

std::string render_markdown(const Audit& audit) {
    std::string out =
        "| try | mode | mount | type | of | looks like | why | declared |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for (const Found* found : in_order(audit)) {
        for (const std::string& each : row(*found)) out += "| " + cell(each) + " ";
        out += "|\n";
    }
    return out + "\n" + cell(summary(audit)) + "\n";
}

std::string render_json(const Audit& audit) {
    ordered_json mounts = ordered_json::array(), troubles = ordered_json::array();
    for (const Found* found : in_order(audit)) {
        ordered_json each = {{"target", escape_text(found->mount.target)},
                             {"type", std::string(rogate::to_string(found->mount.type))},
                             {"source", escape_text(found->mount.source)},
                             {"read_only", found->mount.read_only},
                             {"kind", found->kind},
                             {"name", escape_text(found->name)},
                             {"container", escape_text(found->container)},
                             {"image", escape_text(found->image)},
                             {"looks_like", std::string(to_string(found->looks))},
                             {"why", found->why},
                             {"try", found->order}};
        if (found->mount.declared.line > 0)
            each["declared"] = {{"file", escape_text(found->mount.declared.file)},
                                {"line", found->mount.declared.line},
                                {"column", found->mount.declared.column}};
        mounts.push_back(std::move(each));
    }
    for (const Trouble& trouble : audit.troubles)
        troubles.push_back({{"file", escape_text(trouble.file)}, {"message", escape_text(trouble.message)}});
    return ordered_json{{"schema", "rogate.audit/1"},
                        {"files", audit.files},
                        {"mounts", std::move(mounts)},
                        {"troubles", std::move(troubles)}}
               .dump(2) +
           "\n";
}

namespace {

// A path as the reference that SARIF wants (RFC 3986): everything but unreserved characters and '/' in
// percent.
std::string uri(std::string_view path) {
    std::string out;
    while (path.starts_with("./")) path.remove_prefix(2);
    for (const char c : path) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("/-._~").find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return (path.starts_with('/') ? "file://" : "") + out;
}

}  // namespace

std::string render_sarif(const Audit& audit) {
    ordered_json results = ordered_json::array();
    for (const Found* found : in_order(audit)) {
        if (found->order == 0 || found->mount.declared.line == 0) continue;
        const SourcePlace& at = found->mount.declared;
        const std::string text = fmt::format("{} of {} is writable and looks like {} ({}): try it read-only",
                                             escape_text(found->mount.target), subject(*found),
                                             to_string(found->looks), found->why);
        results.push_back(
            {{"ruleId", "writable-mount"},
             {"level", "note"},
             {"message", {{"text", text}}},
             {"locations",
              {{{"physicalLocation",
                 {{"artifactLocation", {{"uri", uri(at.file)}}},
                  {"region", {{"startLine", at.line}, {"startColumn", std::max(1, at.column)}}}}}}}}});
    }
    const ordered_json rule = {{"id", "writable-mount"},
                               {"shortDescription", {{"text", "A mount that may not have to be writable"}}},
                               {"defaultConfiguration", {{"level", "note"}}}};
    const ordered_json run = {{"tool", {{"driver", {{"name", "rogate audit"}, {"rules", {rule}}}}}},
                              {"columnKind", "unicodeCodePoints"},
                              {"results", std::move(results)}};
    return ordered_json{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                        {"version", "2.1.0"},
                        {"runs", {run}}}
               .dump(2) +
           "\n";
}

}  // namespace rogate::audit
