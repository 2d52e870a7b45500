// Keeps every connection's window full until there is nothing more to send, or sends at fixed times, and measures from
// outside.
#pragma once

#include "channel.hpp"
#include "histogram.hpp"

namespace peers {

/// What one connection is to send.
class Source {
public:
    virtual ~Source() = default;
    /// Puts at most so many requests into a channel; returns how many, 0 at the end.
    virtual std::size_t fill(Channel& channel, std::size_t room) = 0;
};

struct LoadResult {
    Answers answers;
    Histogram latencies;
    double seconds = 0;
};

/// Runs until every request of every source is answered. With a rate, so many requests are due a second, and latencies
/// count from when a request was due.
LoadResult runLoad(const Endpoint& endpoint, std::size_t window, std::vector<std::unique_ptr<Source>> sources,
                   std::vector<std::string>* texts = nullptr, double rate = 0);

/// The members, each behind its referrer.
class MemberSource final : public Source {
public:
    explicit MemberSource(u32 members) : members_(members) {}
    std::size_t fill(Channel& channel, std::size_t room) override;

private:
    u32 members_, next_ = 0;
};

class ActionSource final : public Source {
public:
    ActionSource(u64 seed, Stream stream, u64& resent) : seed_(seed), stream_(stream), resent_(resent) {}
    std::size_t fill(Channel& channel, std::size_t room) override;

private:
    u64 seed_;
    Stream stream_;
    u64& resent_;
    std::vector<Action> group_;
};

/// Questions of one kind about members drawn at random, or about all in their order.
class QuestionSource final : public Source {
public:
    QuestionSource(Question::Kind kind, u32 members, u64 count, u64 seed, bool isInOrder = false)
        : kind_(kind), members_(members), count_(count), seed_(seed), isInOrder_(isInOrder) {}
    std::size_t fill(Channel& channel, std::size_t room) override;

private:
    Question::Kind kind_;
    u32 members_;
    u64 count_, seed_;
    bool isInOrder_;
    u64 next_ = 0;
};

/// Sources of actions for so many connections; `resent` counts what is sent again.
std::vector<std::unique_ptr<Source>> actionSources(u64 seed, u32 members, u32 connections, u64 actions, u64& resent);

}  // namespace peers
