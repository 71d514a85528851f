// The recommended change as text and as flags of `docker run`, the same in every format.
#pragma once

#include <rogate/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::report {

// One word of a POSIX-like shell (bash, zsh, dash for ordinary names). Bytes that a terminal would act on are
// written as $'\x1b', so that the text can be pasted.
std::string shell_quoted(std::string_view raw);

struct DockerFlags {
    std::vector<std::string>
        flags;  // each a whole one, quoted: "--mount type=bind,source=/a,target=/b,readonly"
    std::vector<std::string> not_flags;  // what cannot be said by a flag, a sentence each
};
DockerFlags docker_run_flags(const CampaignResult& result);

// "tmpfs (uid=33,gid=33,mode=0755)", "volume"; raw bytes, as in all of these.
std::string writable_kind(const WritablePath& path);

// "PYTHONDONTWRITEBYTECODE=1: /app/__pycache__ is then not written; run 7 passed; each start compiles the
// sources again". Those that are recommended come first.
struct SettingText {
    bool is_offered = false;
    std::string setting, text;  // raw bytes
};
std::vector<SettingText> setting_texts(const CampaignResult& result);

// "drop all and add CHOWN, SETUID", "drop all"; empty: nothing is to be changed of them.
std::string capabilities_text(const Recommendation& advice);
// "5 of 14 capabilities can be dropped, 1 inconclusive"; empty: nobody asked.
std::string capabilities_headline(const CampaignResult& result);

// "ready 2.4 s instead of 0.8 s".
std::string cost_text(const PhaseCost& cost);

// A verdict under which the mount can be read-only, as it is or with the listed paths writable.
bool can_be_read_only(Verdict verdict);

// "3 of 6 mounts can be read-only".
std::string headline(const CampaignResult& result);

// "run 1 (control) failed in services: …" of the first run that did, but for those that were made to settle
// capabilities; empty: all passed. Where there is no mount nothing else would say it.
std::string failed_run(const CampaignResult& result);

// "1 kind of write", "3 kinds of write".
std::string counted(std::size_t count, std::string_view one, std::string_view many);

}  // namespace rogate::report
