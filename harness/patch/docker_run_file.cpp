// The command line in a scenario's `docker_run`, in whatever style of YAML it is written.
#include "patch/docker_run.hpp"
#include "patch/extent.hpp"
#include "patch/job.hpp"
#include "patch/reach.hpp"

namespace rogate::patch {

namespace {

// How an inserted piece is written within a scalar of this style.
std::string escaped_for(char style, const std::string& text) {
    if (style != '\'' && style != '"') return text;
    std::string out;
    for (const char c : text)
        if (style == '\'')
            out += c == '\'' ? std::string("''") : std::string(1, c);
        else
            out += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    return out;
}

}  // namespace

void patch_docker_run_file(Job& job) {
    for (const auto& file : job.files) {
        if (!file->primary || file->document.roots.empty()) continue;
        const Found subject = find(file->document.roots.front(), "subject");
        const Found found = subject ? find(subject.pair->value, "docker_run") : Found{};
        if (!found || found.value()->kind != Node::Kind::scalar) {
            job.refuse(file->document.file +
                       ": no command line under 'subject', 'docker_run'; give it with --command");
            continue;
        }
        Node& scalar = *found.value();
        auto change = change_command(job.result, scalar.text);
        if (!change) {
            job.refuse(*file, scalar, change.error().message);
            continue;
        }
        for (const std::string& note : change->notes) job.note(note);
        const auto places = places_in_scalar(file->document.text, scalar);
        if (change->edits.empty()) continue;
        if (places.empty()) {
            job.refuse(*file, scalar,
                       "the command line has escapes; write it as a block ('docker_run: |') and try again");
            continue;
        }
        const std::string text = apply_edits(scalar.text, change->edits);
        const std::string newline = line_break_of(file->document.text);
        std::vector<Edit> edits;
        for (const Edit& edit : change->edits) {
            // In a block a new line is indented as its neighbour in the file is.
            std::string piece = escaped_for(scalar.style, edit.text);
            const std::size_t at = places[edit.begin];
            if (const std::size_t cut = piece.find('\n'); cut != std::string::npos) {
                const std::size_t line = file->document.text.rfind('\n', at) + 1;
                piece = piece.substr(0, piece.find_last_not_of("\r\n", cut) + 1) + newline +
                        file->document.text.substr(line, at - line);
            }
            // Behind what is replaced or, for an insertion behind a word, behind the word.
            const bool behind = edit.begin == edit.end && edit.begin > 0 && edit.text.front() != '-';
            const std::size_t begin = behind ? places[edit.begin - 1] + 1 : at;
            edits.push_back({begin, edit.end > edit.begin ? places[edit.end - 1] + 1 : begin, piece});
        }
        file->editor->splice(scalar, edits, text);
    }
    if (job.files.empty()) job.refuse("no command line; give it with --command \"docker run …\"");
}

}  // namespace rogate::patch
