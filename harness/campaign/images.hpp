// The images that runs need: those that are there, those that are pulled, and those that are built.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <rogate/scenario.hpp>
#include <string>
#include <vector>

#include "campaign/status.hpp"
#include "engine/client.hpp"

namespace rogate::campaign {

// Pulled if the engine does not have it.
engine::Task<engine::ImageInfo> need_image(engine::Client& client, const std::string& image, Status& status);

struct ImageOptions {
    bool build = false;     // what can be built is built, also if there is an image
    bool no_build = false;  // nothing is
    bool pull = false;      // images, and those that builds begin with, are asked for anew
    bool keep = false;      // what was built stays on the engine
};

// Of all campaigns of one command, so that an image is built and pulled once on each engine. Images that are
// built carry the label of `session`, by which sweep() finds them once no campaign needs them; those that are
// to be kept do not.
class Images {
  public:
    Images(ImageOptions options, std::string session);
    ~Images();
    Images(const Images&) = delete;
    Images& operator=(const Images&) = delete;

    // Gives each service of the scenario that is built the name of its image on the engine: the one that
    // `docker compose build` made, else one of its own. ErrorKind::usage says what cannot be built, and what
    // to do; ErrorKind::not_found, with the log's end, what was not built. Of a system the answer is what was
    // not built for which members, and the others are given theirs.
    engine::Task<std::map<std::string, std::string>> settle(engine::Client& client, Scenario& scenario,
                                                            Status& status);
    // The names that docker compose would give, in place of those that only this command knows: a result has
    // the same ones each time.
    void name_as_in_files(Scenario& scenario) const;

    const std::string& session() const { return session_; }
    // Something of that session may be on an engine.
    bool has_tried() const { return has_tried_; }
    // Names of what was built.
    const std::vector<std::string>& built() const { return built_; }
    bool keeps() const { return options_.keep; }

  private:
    struct Making;
    engine::Task<> settle_one(engine::Client& client, Subject& subject, Status& status);
    engine::Task<bool> take_what_is_there(engine::Client& client, Subject& subject, Status& status);
    engine::Task<> build_once(engine::Client& client, Subject& subject, Status& status);
    engine::Task<> make(engine::Client& client, const Subject& subject, std::string name, Status& status);
    engine::Task<> make_through_api(engine::Client& client, const Subject& subject, std::string name,
                                    std::map<std::string, std::string> labels,
                                    std::function<void(const std::string&)> line);
    // `what` for the first time, or the outcome of that.
    engine::Task<> once(std::string what, std::function<engine::Task<>()> work);
    engine::Task<> pull_anew(engine::Client& client, std::string image, Status& status);

    ImageOptions options_;
    std::string session_;
    std::map<std::string, std::shared_ptr<Making>> making_;
    std::map<std::string, std::string> names_;                          // of what is built -> of its image
    std::map<std::pair<std::string, std::string>, std::string> asked_;  // service, image -> the file's image
    std::vector<std::string> built_;
    bool has_tried_ = false;
};

// "rogate/PROJECT-SERVICE:TAG", made of what a reference may have. Pure.
std::string built_name(const std::string& project, const std::string& service, const std::string& tag);
// "3 days ago": how long before `now` (both in seconds since 1970). Pure.
std::string time_ago(std::int64_t then, std::int64_t now);

}  // namespace rogate::campaign
