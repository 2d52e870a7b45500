#include "load.hpp"

#include "clock.hpp"

#include <cerrno>
#include <deque>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace peers {
namespace {

/// When each request of an open loop is due: evenly, whatever the answers do.
struct Schedule {
    u64 start;
    double interval;
    u64 due(u64 number) const { return start + static_cast<u64>(static_cast<double>(number) * interval); }
    u64 countBy(u64 time) const { return static_cast<u64>(static_cast<double>(time - start) / interval) + 1; }
};

/// A connection under load. Times are taken once per system call: all requests of one write share their start, all
/// answers of one read their end.
class Lane {
public:
    Lane(const Endpoint& endpoint, std::size_t window, Source& source)
        : channel(connect(endpoint, window)), source_(source), room_(window), window_(window) {}

    const std::unique_ptr<Channel> channel;
    bool wantsToWrite = false;

    bool isDone() const { return isAtEnd_ && room_ == window_; }

    /// Fills the window and sends.
    void refill(u64 now) {
        if (const std::size_t count = put(room_); count > 0) groups_.push_back({count, now});
        wantsToWrite = !channel->flush();
    }

    /// Sends at most so many requests, each of which waits since it was due; returns how many. The first has a number.
    std::size_t sendDue(std::size_t most, const Schedule& schedule, u64 first) {
        const std::size_t count = put(std::min(most, room_));
        for (std::size_t at = 0; at < count; ++at) groups_.push_back({1, schedule.due(first + at)});
        flush();
        return count;
    }

    void flush() { wantsToWrite = !channel->flush(); }
    bool isAtEnd() const { return isAtEnd_; }

    void receive(Answers& all, Histogram& latencies) {
        const u64 before = all.all();
        channel->receive(all);
        u64 count = all.all() - before;
        if (count == 0) return;
        room_ += count;
        const u64 now = nanoseconds();
        while (count > 0) {
            if (groups_.empty()) throw Failure("more answers than requests");
            Group& first = groups_.front();
            const u64 taken = std::min(count, first.count);
            latencies.record(now - first.at, taken);
            first.count -= taken;
            count -= taken;
            if (first.count == 0) groups_.pop_front();
        }
    }

private:
    struct Group {
        u64 count, at;
    };

    /// Puts at most so many requests into the channel, when it is empty; returns how many.
    std::size_t put(std::size_t room) {
        if (wantsToWrite || isAtEnd_ || room < channel->groupSize()) return 0;
        const std::size_t count = source_.fill(*channel, room);
        if (count == 0) isAtEnd_ = true;
        room_ -= count;
        return count;
    }

    Source& source_;
    std::size_t room_;
    const std::size_t window_;
    bool isAtEnd_ = false;
    std::deque<Group> groups_;
};

}  // namespace

LoadResult runLoad(const Endpoint& endpoint, std::size_t window, std::vector<std::unique_ptr<Source>> sources,
                   std::vector<std::string>* texts, double rate) {
    LoadResult result;
    result.answers.texts = texts;
    std::vector<std::unique_ptr<Lane>> lanes;
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    for (const auto& source : sources) {
        lanes.push_back(std::make_unique<Lane>(endpoint, window, *source));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = lanes.back().get();
        epoll_ctl(poll, EPOLL_CTL_ADD, lanes.back()->channel->descriptor(), &event);
    }
    const bool isOpen = rate > 0;
    const Schedule schedule{nanoseconds(), isOpen ? 1e9 / rate : 0};
    std::size_t running = lanes.size();
    const auto watch = [&](Lane& lane, bool wantedToWrite) {
        if (lane.wantsToWrite != wantedToWrite) {
            epoll_event event{};
            event.events = EPOLLIN | (lane.wantsToWrite ? EPOLLOUT : 0u);
            event.data.ptr = &lane;
            epoll_ctl(poll, EPOLL_CTL_MOD, lane.channel->descriptor(), &event);
        }
        if (lane.isDone()) {
            epoll_ctl(poll, EPOLL_CTL_DEL, lane.channel->descriptor(), nullptr);
            --running;
        }
    };
    const auto step = [&](Lane& lane) {
        const bool wantedToWrite = lane.wantsToWrite;
        if (isOpen) lane.flush();
        else lane.refill(nanoseconds());
        watch(lane, wantedToWrite);
    };
    // What is due together goes out together, the connections taking turns; what finds no room waits, and that counts.
    u64 sent = 0;
    std::size_t turn = 0;
    const auto sendDue = [&] {
        const u64 due = schedule.countBy(nanoseconds());
        for (std::size_t tried = 0; sent < due && tried < lanes.size(); ++tried) {
            Lane& lane = *lanes[turn];
            turn = (turn + 1) % lanes.size();
            if (lane.isAtEnd()) continue;
            const bool wantedToWrite = lane.wantsToWrite;
            sent += lane.sendDue(due - sent, schedule, sent);
            watch(lane, wantedToWrite);
        }
        return sent < due;
    };
    if (isOpen) prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    else
        for (const auto& lane : lanes) step(*lane);
    epoll_event events[64];
    u64 answeredAt = nanoseconds();
    while (running > 0) {
        timespec timeout{60, 0};
        if (isOpen) {
            // With every window full, or nothing left, only answers help; else until the next is due, 50 microseconds at least.
            constexpr u64 pause = 50'000, longest = 100'000'000;
            const bool isStuck = sendDue();
            const u64 now = nanoseconds();
            const u64 next = std::max(schedule.due(sent), now + pause);
            timeout = {0, static_cast<long>(isStuck ? longest : std::min(next - now, longest))};
            if (running == 0) break;
        }
        const int count = epoll_pwait2(poll, events, 64, &timeout, nullptr);
        if (count < 0 && errno != EINTR) throw Failure("epoll_pwait2");
        if (count > 0) answeredAt = nanoseconds();
        else if (nanoseconds() - answeredAt > 60'000'000'000) throw Failure("no answer for a minute");
        for (int at = 0; at < count; ++at) {
            Lane& lane = *static_cast<Lane*>(events[at].data.ptr);
            if (events[at].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) lane.receive(result.answers, result.latencies);
            step(lane);
        }
    }
    result.seconds = static_cast<double>(nanoseconds() - schedule.start) / 1e9;
    close(poll);
    return result;
}

std::size_t MemberSource::fill(Channel& channel, std::size_t room) {
    const auto count = static_cast<u32>(std::min<std::size_t>(room, members_ - next_));
    for (u32 at = 0; at < count; ++at) channel.putMember(next_++);
    return count;
}

std::size_t ActionSource::fill(Channel& channel, std::size_t room) {
    group_.clear();
    while (group_.size() < room && !stream_.isAtEnd()) {
        group_.push_back(stream_.next());
        resent_ += group_.back().isResent;
    }
    if (!group_.empty()) channel.putActions(group_, seed_);
    return group_.size();
}

std::size_t QuestionSource::fill(Channel& channel, std::size_t room) {
    const std::size_t count = std::min<std::size_t>(room, count_ - next_);
    for (std::size_t at = 0; at < count; ++at, ++next_) {
        const u64 member = isInOrder_ ? next_ : scaled(mixed(next_, seed_) >> 32, members_);
        channel.ask({kind_, static_cast<u32>(member)});
    }
    return count;
}

std::vector<std::unique_ptr<Source>> actionSources(u64 seed, u32 members, u32 connections, u64 actions, u64& resent) {
    std::vector<std::unique_ptr<Source>> sources;
    for (u32 connection = 0; connection < connections; ++connection)
        sources.push_back(
            std::make_unique<ActionSource>(seed, Stream(seed, members, connection, connections, actions), resent));
    return sources;
}

}  // namespace peers
