#include "observe/agent_channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace rogate::observe {

namespace asio = boost::asio;
using engine::Task;

namespace {

constexpr std::chrono::seconds between_looks(2);  // at a container whose agent does not answer

}  // namespace

AgentChannel::AgentChannel(engine::Client& client, asio::any_io_executor executor,
                           std::chrono::milliseconds reply_timeout)
    : client_(client), executor_(std::move(executor)), reply_timeout_(reply_timeout), wake_(executor_) {
    wake_.expires_at(asio::steady_timer::time_point::max());
}

AgentChannel::~AgentChannel() {
    close();
}

void AgentChannel::close() {
    if (attachment_) attachment_->close();
}

void AgentChannel::deliver(std::size_t slot, std::shared_ptr<Recorder> recorder) {
    shared_->recorders[static_cast<std::uint16_t>(slot)] = std::move(recorder);
}

Task<> AgentChannel::open(std::string container) {
    container_ = std::move(container);
    auto attached = co_await client_.container_attach(container_, true);
    if (!attached) co_return fail(std::move(attached.error()));
    attachment_ = std::move(*attached);
    auto started = co_await client_.container_start(container_);
    if (!started) co_return started;
    auto wake = [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) wake_.cancel();
    };
    // Its end is noted in `shared`, which everything that waits looks at.
    asio::co_spawn(executor_, read_all(attachment_, shared_, wake),
                   [](const std::exception_ptr&, const Result<>&) {});
    co_return co_await wait_until([this] { return shared_->hello.has_value(); }, "starting the agent");
}

Task<Reply> AgentChannel::ask(std::string command) {
    const std::uint32_t number = next_number_++;
    const std::string line = fmt::format("{} {}\n", number, command);
    auto written = co_await attachment_->write(line);
    if (!written && written.error().kind == ErrorKind::cancelled) co_return fail(std::move(written.error()));
    const std::string what = fmt::format("observer: {}", command.substr(0, command.find(' ')));
    auto answered = co_await wait_until([this, number] { return shared_->replies.contains(number); }, what);
    if (!answered) co_return fail(std::move(answered.error()));
    Reply reply = std::move(shared_->replies.at(number));
    shared_->replies.erase(number);
    if (reply.status != 0) co_return fail(ErrorKind::engine, fmt::format("{}: {}", what, reply.text));
    co_return reply;
}

Result<> AgentChannel::take_frames(Shared& shared) {
    for (;;) {
        auto frame = shared.decoder.next();
        if (!frame) return fail(std::move(frame.error()));
        if (!*frame) return {};
        Frame& value = **frame;
        std::shared_ptr<Recorder>& recorder = shared.recorders[shared.decoder.slot()];
        if (!recorder) recorder = std::make_shared<Recorder>();
        if (auto* hello = std::get_if<Hello>(&value)) {
            shared.hello = std::move(*hello);
        } else if (auto* reply = std::get_if<Reply>(&value)) {
            const auto number = reply->number;
            shared.replies.emplace(number, std::move(*reply));
        } else if (auto* error = std::get_if<AgentError>(&value)) {
            return fail(ErrorKind::engine, error->text);
        } else if (auto* attempt = std::get_if<AttemptEvent>(&value)) {
            recorder->take(std::move(*attempt));
        } else if (auto* count = std::get_if<CountEvent>(&value)) {
            recorder->take(*count);
        } else if (auto* use = std::get_if<UseEvent>(&value)) {
            recorder->take(*use);
        } else if (auto* read = std::get_if<ReadEvent>(&value)) {
            recorder->take(*read);
        } else if (auto* stats = std::get_if<StatsEvent>(&value)) {
            recorder->take(*stats);
        } else if (auto* root = std::get_if<RootEvent>(&value)) {
            recorder->take(*root);
        } else if (auto* doubt = std::get_if<DoubtEvent>(&value)) {
            recorder->take(std::move(*doubt));
        } else if (auto* check = std::get_if<CapabilityEvent>(&value)) {
            recorder->take(*check);
        } else if (auto* checks = std::get_if<ChecksEvent>(&value)) {
            recorder->take(*checks);
        } else if (auto* target = std::get_if<TargetEvent>(&value)) {
            recorder->take(*target);
        }
    }
}

// Always reading, so that the agent never waits for this side while events come in.
Task<> AgentChannel::read_all(std::shared_ptr<engine::Attachment> attachment, std::shared_ptr<Shared> shared,
                              std::function<void()> wake) {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        auto chunk = co_await attachment->read();
        if (!chunk) {
            shared->ended = std::move(chunk.error());
            break;
        }
        if (!*chunk) {
            const auto whole = shared->decoder.finish();
            shared->ended =
                whole ? Error{ErrorKind::engine, "the observer's container ended"} : whole.error();
            break;
        }
        if ((*chunk)->channel == engine::Channel::err) {
            shared->stderr_tail += (*chunk)->bytes;
            if (shared->stderr_tail.size() > 4096)
                shared->stderr_tail.erase(0, shared->stderr_tail.size() - 4096);
            continue;
        }
        shared->decoder.feed((*chunk)->bytes);
        if (auto taken = take_frames(*shared); !taken) {
            shared->ended = std::move(taken.error());
            break;
        }
        wake();
    }
    wake();
    co_return Result<>{};
}

// False if it cannot be told.
Task<bool> AgentChannel::container_is_gone() {
    auto state = co_await client_.container_inspect(container_);
    co_return state ? !state->running : state.error().kind == ErrorKind::not_found;
}

template <class Condition>
Task<> AgentChannel::wait_until(Condition condition, std::string_view what) {
    const auto deadline = std::chrono::steady_clock::now() + reply_timeout_;
    auto next_look = std::chrono::steady_clock::now() + between_looks;
    bool gone = false;
    while (!condition()) {
        if (shared_->ended) {
            std::string text = shared_->ended->message;
            if (!shared_->stderr_tail.empty()) text += "; it said: " + shared_->stderr_tail;
            co_return fail(shared_->ended->kind, fmt::format("{}: {}", what, text));
        }
        if (std::chrono::steady_clock::now() >= deadline)
            co_return fail(ErrorKind::timeout, fmt::format("{}: the observer did not answer within {} ms",
                                                           what, reply_timeout_.count()));
        wake_.expires_at(std::min(deadline, next_look));
        [[maybe_unused]] const auto woken = co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            co_return fail(ErrorKind::cancelled, "interrupted");
        if (std::chrono::steady_clock::now() < next_look || condition() || shared_->ended) continue;
        // Podman's attachment can outlive a container that was killed. What it said last may still be under
        // way at the first look.
        const auto looked = co_await container_is_gone();
        const bool gone_before = std::exchange(gone, looked.value_or(false));
        if (gone && gone_before && !shared_->ended)
            shared_->ended = Error{ErrorKind::engine, "the observer's container ended"};
        next_look = std::chrono::steady_clock::now() + between_looks;
    }
    co_return Result<>{};
}

}  // namespace rogate::observe
