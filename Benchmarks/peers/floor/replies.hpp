// Answers as text, written at the end of a buffer.
#pragma once

#include "bytes.hpp"

#include <charconv>
#include <vector>

namespace guerdon {

class Replies {
public:
    void text(std::string_view text) {
        std::memcpy(reserve(text.size()), text.data(), text.size());
        used_ += text.size();
    }

    void number(u64 value) {
        char* at = reserve(20);
        used_ += static_cast<std::size_t>(std::to_chars(at, at + 20, value).ptr - at);
    }

    /// An amount of hundredths as a decimal with two places.
    void hundredths(u64 cents) {
        number(cents / 100);
        const char places[] = {'.', static_cast<char>('0' + cents % 100 / 10), static_cast<char>('0' + cents % 10)};
        text({places, 3});
    }

    const char* data() const { return bytes_.data(); }
    std::size_t size() const { return used_; }
    bool empty() const { return used_ == 0; }
    void clear() { used_ = 0; }
    void swap(Replies& other) {
        bytes_.swap(other.bytes_);
        std::swap(used_, other.used_);
    }

private:
    char* reserve(std::size_t more) {
        if (used_ + more > bytes_.size()) bytes_.resize((used_ + more) * 2);
        return bytes_.data() + used_;
    }

    friend class Acknowledgement;
    std::vector<char> bytes_ = std::vector<char>(std::size_t(1) << 16);
    std::size_t used_ = 0;
};

/// The reply to the common case. The text of the last position is kept and counted up in place: positions mostly
/// follow each other.
class Acknowledgement {
public:
    void append(Replies& replies, u64 position) {
        if (position == position_ + 1 && last() != '9') [[likely]] ++last();
        else if (position != position_) write(position);
        position_ = position;
        std::memcpy(replies.reserve(sizeof line_), line_, sizeof line_);
        replies.used_ += length_;
    }

private:
    char& last() { return line_[length_ - 3]; }

    void write(u64 position) {
        char* end = std::to_chars(line_ + prefix.size(), line_ + sizeof line_, position).ptr;
        end[0] = '}';
        end[1] = '\n';
        length_ = static_cast<std::size_t>(end + 2 - line_);
    }

    static constexpr std::string_view prefix = "{\"ok\":true,\"seq\":";
    char line_[48] = "{\"ok\":true,\"seq\":0}\n";
    std::size_t length_ = prefix.size() + 3;
    u64 position_ = 0;
};

}  // namespace guerdon
