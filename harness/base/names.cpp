#include <fmt/format.h>

#include <cstring>
#include <rogate/names.hpp>

namespace rogate {

std::string_view to_string(MountType type) {
    switch (type) {
        case MountType::bind:
            return "bind";
        case MountType::volume:
            return "volume";
        case MountType::anonymous:
            return "anonymous";
        case MountType::tmpfs:
            return "tmpfs";
        case MountType::rootfs:
            return "rootfs";
    }
    return "?";
}

std::string_view to_string(AttemptClass cls) {
    switch (cls) {
        case AttemptClass::write:
            return "write";
        case AttemptClass::no_op:
            return "no-op";
        case AttemptClass::access_check:
            return "access-check";
    }
    return "?";
}

std::string_view to_string(DataState state) {
    switch (state) {
        case DataState::current:
            return "current";
        case DataState::fresh:
            return "fresh";
        case DataState::used:
            return "used";
        case DataState::restart:
            return "restart";
        case DataState::crash:
            return "crash";
    }
    return "";
}

std::string_view to_string(RunKind kind) {
    switch (kind) {
        case RunKind::control:
            return "control";
        case RunKind::probe:
            return "probe";
        case RunKind::verify:
            return "verify";
    }
    return "?";
}

std::string_view to_string(Canary canary) {
    switch (canary) {
        case Canary::seen:
            return "seen";
        case Canary::not_seen:
            return "not-seen";
        case Canary::not_refused:
            return "not-refused";
        case Canary::failed:
            return "failed";
    }
    return "?";
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::safe:
            return "safe";
        case Verdict::tolerated:
            return "tolerated";
        case Verdict::split:
            return "split";
        case Verdict::required:
            return "required";
        case Verdict::untested:
            return "untested";
        case Verdict::ineffective:
            return "ineffective";
        case Verdict::already_ro:
            return "already-ro";
        case Verdict::inconclusive:
            return "inconclusive";
    }
    return "?";
}

std::string_view to_string(WritableAs as) {
    switch (as) {
        case WritableAs::tmpfs:
            return "tmpfs";
        case WritableAs::volume:
            return "volume";
        case WritableAs::subpath:
            return "subpath";
    }
    return "?";
}

std::string_view to_string(SettingResult::Outcome outcome) {
    switch (outcome) {
        case SettingResult::Outcome::offered:
            return "offered";
        case SettingResult::Outcome::no_help:
            return "no help";
        case SettingResult::Outcome::breaks:
            return "breaks";
        case SettingResult::Outcome::not_tried:
            return "not tried";
        case SettingResult::Outcome::unsettled:
            return "unsettled";
    }
    return "?";
}

std::string_view to_string(Origin::Kind kind) {
    switch (kind) {
        case Origin::Kind::scenario:
            return "scenario";
        case Origin::Kind::compose:
            return "compose";
        case Origin::Kind::kubernetes:
            return "kubernetes";
        case Origin::Kind::docker_run:
            return "docker-run";
        case Origin::Kind::container:
            return "container";
    }
    return "?";
}

std::string_view to_string(CapabilityVerdict verdict) {
    switch (verdict) {
        case CapabilityVerdict::unused:
            return "unused";
        case CapabilityVerdict::tolerated:
            return "tolerated";
        case CapabilityVerdict::needed:
            return "needed";
        case CapabilityVerdict::inconclusive:
            return "inconclusive";
    }
    return "?";
}

std::string errno_name(int error) {
    if (error == 0) return "ok";
    // strerrorname_np is glibc's own (2.32 and newer); rogate is built on Debian 12 (2.36).
    if (const char* name = strerrorname_np(error)) return name;
    return fmt::format("errno {}", error);
}

}  // namespace rogate
