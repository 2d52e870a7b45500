// A connection to one of the contestants: the same requests in, the same counts out, each in its own protocol.
#pragma once

#include "job.hpp"

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace peers {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class Target { ndjson, redis, postgres, postgresBatch };

struct Endpoint {
    Target target;
    int port;
    std::string directory;  // of PostgreSQL's socket
};

/// A read, asked one by one.
struct Question {
    enum class Kind { wallet, rank, top10, top100, around };
    Kind kind;
    u32 member = 0;
};

/// What came back.
struct Answers {
    u64 done = 0;
    u64 duplicates = 0;
    u64 refused = 0;
    std::string firstRefusal;
    /// Where to put the texts of the answers; nil to count them only.
    std::vector<std::string>* texts = nullptr;

    u64 all() const { return done + duplicates + refused; }
    void refuse(std::string_view text) {
        if (refused++ == 0) firstRefusal = text.substr(0, 300);
    }
};

class Channel {
public:
    virtual ~Channel() = default;
    virtual int descriptor() const = 0;

    virtual void putMember(u32 member) = 0;
    virtual void putActions(std::span<const Action> actions, u64 seed) = 0;
    virtual void ask(const Question& question) = 0;

    /// Sends what the kernel takes; whether that was all.
    virtual bool flush() = 0;
    /// Takes what is there.
    virtual void receive(Answers& answers) = 0;

    /// Actions are put in groups of so many.
    virtual std::size_t groupSize() const { return 1; }
};

/// Connects; throws `Failure`.
std::unique_ptr<Channel> connect(const Endpoint& endpoint, std::size_t window);

/// A channel over a socket, with a buffer in each direction.
class StreamChannel : public Channel {
public:
    explicit StreamChannel(int port);
    ~StreamChannel() override;
    int descriptor() const override { return socket_; }
    bool flush() override;
    void receive(Answers& answers) override;

protected:
    /// Counts the whole answers in some bytes; returns how many bytes they are.
    virtual std::size_t scan(std::string_view bytes, Answers& answers) = 0;

    /// Room for so many bytes at the end of what is to be sent.
    char* reserve(std::size_t more) {
        if (outgoingEnd_ + more > outgoing_.size()) outgoing_.resize((outgoingEnd_ + more) * 2);
        return outgoing_.data() + outgoingEnd_;
    }
    void endAt(const char* end) { outgoingEnd_ = static_cast<std::size_t>(end - outgoing_.data()); }

private:
    int socket_;
    std::vector<char> outgoing_ = std::vector<char>(1 << 18);
    std::size_t outgoingStart_ = 0, outgoingEnd_ = 0;
    std::vector<char> incoming_ = std::vector<char>(1 << 18);
    std::size_t incomingEnd_ = 0;
};

/// Sends one line of JSON and gives its answer.
std::string requestLine(int port, std::string_view line);

// ---- text --------------------------------------------------------------------------------------------------------

template <std::size_t count>
inline char* put(char* at, const char (&literal)[count]) {
    std::copy_n(literal, count - 1, at);
    return at + count - 1;
}

inline char* putTwo(char* at, u32 value) {
    static constexpr char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354"
        "555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    at[0] = pairs[value * 2];
    at[1] = pairs[value * 2 + 1];
    return at + 2;
}

inline char* putNumber(char* at, u64 value) {
    char digits[20];
    char* start = digits + 20;
    while (value >= 100) {
        start -= 2;
        putTwo(start, static_cast<u32>(value % 100));
        value /= 100;
    }
    if (value >= 10) putTwo(start -= 2, static_cast<u32>(value));
    else *--start = static_cast<char>('0' + value);
    const auto count = static_cast<std::size_t>(digits + 20 - start);
    std::copy_n(start, count, at);
    return at + count;
}

/// The time of an action as text, with the last one remembered: a thousand follow each other in a second.
class TimeText {
public:
    std::string_view of(const Action& action) {
        const u32 second = secondOf(action);
        if (second != second_) {
            second_ = second;
            putTwo(text_ + 8, 1 + second / 86'400);
            putTwo(text_ + 11, second / 3'600 % 24);
            putTwo(text_ + 14, second / 60 % 60);
            putTwo(text_ + 17, second % 60);
        }
        return {text_, 20};
    }

private:
    char text_[21] = "2026-11-01T00:00:00Z";
    u32 second_ = 0;
};

}  // namespace peers
