#include "plan/render.hpp"

namespace rogate::plan {

std::string_view text_of(Given given) {
    switch (given) {
        case Given::overlay:
            return "your data beneath a throw-away layer";
        case Given::copy:
            return "a copy of your data";
        case Given::live:
            return "YOUR REAL DATA: what the runs write stays";
        case Given::fixture:
            return "the scenario's fixture";
        case Given::fresh:
            return "one of the run's own";
        case Given::files:
            return "files of the run's own";
        case Given::tmpfs:
            return "a tmpfs";
        case Given::image:
            return "what the image has";
    }
    return {};
}

std::string_view name_of(Given given) {
    switch (given) {
        case Given::overlay:
            return "overlay";
        case Given::copy:
            return "copy";
        case Given::live:
            return "live";
        case Given::fixture:
            return "fixture";
        case Given::fresh:
            return "fresh";
        case Given::files:
            return "files";
        case Given::tmpfs:
            return "tmpfs";
        case Given::image:
            return "image";
    }
    return {};
}

std::string_view name_of(SystemData::Kind kind) {
    switch (kind) {
        case SystemData::Kind::bind:
            return "bind";
        case SystemData::Kind::volume:
            return "volume";
        case SystemData::Kind::anonymous:
            return "anonymous";
        case SystemData::Kind::tmpfs:
            return "tmpfs";
        case SystemData::Kind::empty_dir:
            return "emptyDir";
        case SystemData::Kind::files:
            return "files";
        case SystemData::Kind::rootfs:
            return "rootfs";
    }
    return {};
}

std::string_view name_of(Reach::Kind kind) {
    switch (kind) {
        case Reach::Kind::network:
            return "network";
        case Reach::Kind::host:
            return "host";
        case Reach::Kind::address:
            return "address";
        case Reach::Kind::socket:
            return "socket";
    }
    return {};
}

std::string_view name_of(SystemContainer::Role role) {
    switch (role) {
        case SystemContainer::Role::service:
            return "service";
        case SystemContainer::Role::init:
            return "init";
        case SystemContainer::Role::sidecar:
            return "sidecar";
    }
    return {};
}

std::string_view name_of(Dependency::Condition condition) {
    switch (condition) {
        case Dependency::Condition::started:
            return "started";
        case Dependency::Condition::healthy:
            return "healthy";
        case Dependency::Condition::completed:
            return "completed";
    }
    return {};
}

}  // namespace rogate::plan
