// Lines of JSON over TCP: Guerdon's wire, which the floor speaks too.
#pragma once

#include "channel.hpp"

namespace peers {

class NDJSONChannel final : public StreamChannel {
public:
    using StreamChannel::StreamChannel;
    void putMember(u32 member) override;
    void putActions(std::span<const Action> actions, u64 seed) override;
    void ask(const Question& question) override;

private:
    std::size_t scan(std::string_view bytes, Answers& answers) override;
    TimeText time_;
};

}  // namespace peers
