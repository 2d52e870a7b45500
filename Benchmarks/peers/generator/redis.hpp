// Redis' protocol, pipelined: one call of the script an action.
#pragma once

#include "channel.hpp"

namespace peers {

class RedisChannel final : public StreamChannel {
public:
    explicit RedisChannel(int port);
    void putMember(u32 member) override;
    void putActions(std::span<const Action> actions, u64 seed) override;
    void ask(const Question& question) override;

private:
    std::size_t scan(std::string_view bytes, Answers& answers) override;
    TimeText time_;
    std::string actionScript_, aroundScript_;  // the hashes under which the server knows the scripts
};

/// Loads a script; returns its hash.
std::string loadRedisScript(int port, const std::string& text);

/// Sends one command of words without spaces and gives its raw answer.
std::string redisCommand(int port, const std::vector<std::string>& words);

/// The strings and numbers in an answer, however nested; a nil is "-".
std::vector<std::string> redisWords(std::string_view answer);

}  // namespace peers
