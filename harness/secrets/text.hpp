// Credentials within texts and commands, known by the name beside them or by their form. Pure.
#pragma once

#include <rogate/secret.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::secrets {

// `"password": "x"`, `password=x`, `token: x`, <password>x</password>, the user information of URLs
// (postgres://app:x@db), tokens and private keys that their form gives away; also percent-decoded and
// unescaped.
void find_in_text(std::string_view text, Secrets& found);

// The value of a header that carries credentials: all of it, and its parts ("Bearer x", what "Basic" encodes,
// each cookie).
void find_in_header(std::string_view value, Secrets& found);

// The value behind the name of a variable, a field or an option.
void find_in_value(std::string_view name, std::string_view value, Secrets& found);

// The content of what is a secret as a whole: the content, its lines, and the values of the fields that it
// has.
void find_in_secret(std::string_view content, Secrets& found);

// What a command is given: `--password x`, `PGPASSWORD=x psql`, `curl -u user:x`, `mysql -px`; also in the
// scripts of shells.
void find_in_command(const std::vector<std::string>& words, Secrets& found);

}  // namespace rogate::secrets
