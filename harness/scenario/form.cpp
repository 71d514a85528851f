#include "scenario/form.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::scenario {

namespace {

// What browsers do with the characters that would end the quoted name.
std::string quoted(const std::string& name) {
    std::string text;
    for (const char c : name) {
        if (c == '"')
            text += "%22";
        else if (c == '\r')
            text += "%0D";
        else if (c == '\n')
            text += "%0A";
        else
            text += c;
    }
    return text;
}

// The same for the same form, so that two runs send the same bytes; in no content.
std::string boundary_for(const std::vector<FormField>& form) {
    for (int number = 0;; ++number) {
        std::string boundary = fmt::format("rogate-boundary-{}", number);
        const bool taken = std::any_of(form.begin(), form.end(), [&](const FormField& field) {
            return field.content.find(boundary) != std::string::npos;
        });
        if (!taken) return boundary;
    }
}

}  // namespace

FormBody to_multipart(const std::vector<FormField>& form) {
    const std::string boundary = boundary_for(form);
    FormBody made{.content_type = "multipart/form-data; boundary=" + boundary, .body = {}};
    for (const FormField& field : form) {
        made.body +=
            fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"", boundary, quoted(field.name));
        if (field.file_name) made.body += fmt::format("; filename=\"{}\"", quoted(*field.file_name));
        const std::string type = !field.type.empty() ? field.type
                                 : field.file_name   ? "application/octet-stream"
                                                     : "";
        if (!type.empty()) made.body += fmt::format("\r\nContent-Type: {}", type);
        made.body += "\r\n\r\n" + field.content + "\r\n";
    }
    made.body += fmt::format("--{}--\r\n", boundary);
    return made;
}

}  // namespace rogate::scenario
