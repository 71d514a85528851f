// Where the data of a path that stays writable below a read-only mount are: what was run had them, so what is
// recommended must have them too.
#pragma once

#include <rogate/result.hpp>
#include <string>

namespace rogate {

// tmpfs, new_volume: nothing is there that the application had written. bind: the directory below the bound
// folder. subpath: the directory in the volume, mounted by its path there. move: the same, but the engine
// cannot mount a part of a volume (older than Docker 26, API 1.45), so that the data have to be moved first.
struct WritablePlace {
    enum class How { tmpfs, new_volume, bind, subpath, move } how = How::new_volume;
    std::string source;  // bind: of the mount; subpath, move: the volume's name on the engine
    std::string below;   // of the mount's root, without a slash at its beginning
    std::string within;  // subpath, move: the directory of the volume that the mount has; empty: all of it

    std::string in_volume() const { return within.empty() ? below : within + "/" + below; }
};

// `result` has the mount, and the engine that was asked.
WritablePlace writable_place(const WritablePath& writable, const CampaignResult& result);

// The commands that move the data of `place` into a new volume, one sentence.
std::string how_to_move(const WritablePlace& place, const std::string& path, const CampaignResult& result);

}  // namespace rogate
