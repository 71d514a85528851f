// Takes what must not be shown out of a result, before anything is rendered.
#pragma once

#include <rogate/result.hpp>
#include <rogate/secret.hpp>
#include <rogate/watch.hpp>

namespace rogate::report {

// Masks every text of the result in place, and empties the environment's values: what is rendered afterwards
// holds none of the secrets, whatever the format. Free text loses all of them; paths, names and the reasons
// that are made of those lose only what is a secret, since a path without its parts is no answer. Free text
// that a reason repeats has to be masked already.
//
// A mount whose recommendation would have a hidden path in it is not recommended, and its reason says so.
void hide_secrets(CampaignResult& result, const Secrets& secrets);
// The same in what a watched container's programs chose.
void hide_secrets(WatchResult& watch, const Secrets& secrets);

}  // namespace rogate::report
