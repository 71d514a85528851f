#include "spec/kube_text.hpp"

#include <algorithm>

namespace rogate::spec {

namespace {

// "---" at the beginning of a line parts documents, and can stand there for nothing else (YAML 1.2, 9.1.2).
std::size_t end_of_document(std::string_view text, std::size_t from) {
    for (std::size_t at = text.find("\n---", from); at != std::string_view::npos;
         at = text.find("\n---", at + 1)) {
        const char next = at + 4 < text.size() ? text[at + 4] : '\n';
        if (next == '\n' || next == '\r' || next == ' ' || next == '\t') return at + 1;
    }
    return text.size();
}

bool is_definition(std::string_view document) {
    constexpr std::string_view line = "\nkind: CustomResourceDefinition";
    const std::size_t at = document.find(line);
    if (at == std::string_view::npos) return document.starts_with(line.substr(1));
    const std::size_t end = at + line.size();
    return end == document.size() || document[end] == '\n' || document[end] == '\r' || document[end] == ' ';
}

}  // namespace

std::string without_definitions(std::string_view text) {
    std::string kept;
    kept.reserve(text.size());
    for (std::size_t begin = 0; begin < text.size();) {
        // A document's own "---" is its first line.
        const std::size_t end = end_of_document(text, begin);
        const std::string_view document = text.substr(begin, end - begin);
        if (is_definition(document)) {
            if (document.starts_with("---")) kept += "---";
            kept.append(static_cast<std::size_t>(std::ranges::count(document, '\n')), '\n');
        } else {
            kept += document;
        }
        begin = end;
    }
    return kept;
}

}  // namespace rogate::spec
