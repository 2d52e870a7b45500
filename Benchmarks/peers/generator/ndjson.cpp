#include "ndjson.hpp"

#include <cstring>

namespace peers {

void NDJSONChannel::putMember(u32 member) {
    char* at = reserve(128);
    at = put(at, R"({"op":"member.put","member":"m)");
    at = putNumber(at, member);
    if (const u32 referrer = referrerOf(member); referrer != nobody) {
        at = put(at, R"(","referrer":"m)");
        at = putNumber(at, referrer);
    }
    endAt(put(at, "\"}\n"));
}

void NDJSONChannel::putActions(std::span<const Action> actions, u64 seed) {
    char* at = reserve(actions.size() * 256);
    for (const Action& action : actions) {
        at = put(at, R"({"op":"action","externalId":"s)");
        at = putNumber(at, seed);
        *at++ = '-';
        at = putNumber(at, action.number);
        at = put(at, R"(","performer":"m)");
        at = putNumber(at, action.performer);
        at = put(at, R"(","type":"purchase","value":")");
        at = putNumber(at, action.cents / 100);
        *at++ = '.';
        at = putTwo(at, action.cents % 100);
        at = put(at, R"(","currency":"USD","at":")");
        at = std::copy_n(time_.of(action).data(), 20, at);
        at = put(at, "\"}\n");
    }
    endAt(at);
}

void NDJSONChannel::ask(const Question& question) {
    char* at = reserve(160);
    switch (question.kind) {
    case Question::Kind::wallet: at = put(at, R"({"op":"wallet","member":"m)"); break;
    case Question::Kind::rank:
        at = put(at, R"({"op":"board.rank","board":"monthly","period":"2026-11","around":0,"member":"m)");
        break;
    case Question::Kind::around:
        at = put(at, R"({"op":"board.rank","board":"monthly","period":"2026-11","around":5,"member":"m)");
        break;
    case Question::Kind::top10:
        return endAt(put(at, R"({"op":"board.top","board":"monthly","limit":10,"period":"2026-11"})" "\n"));
    case Question::Kind::top100:
        return endAt(put(at, R"({"op":"board.top","board":"monthly","limit":100,"period":"2026-11"})" "\n"));
    }
    at = putNumber(at, question.member);
    endAt(put(at, "\"}\n"));
}

std::size_t NDJSONChannel::scan(std::string_view bytes, Answers& answers) {
    constexpr std::string_view good = "{\"ok\":true", again = "\"duplicate\":true}";
    std::size_t start = 0;
    while (start < bytes.size()) {
        const void* newline = std::memchr(bytes.data() + start, '\n', bytes.size() - start);
        if (!newline) break;
        const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data());
        const std::string_view line = bytes.substr(start, end - start);
        start = end + 1;
        if (!line.starts_with(good)) answers.refuse(line);
        else if (line.ends_with(again)) ++answers.duplicates;
        else ++answers.done;
        if (answers.texts) answers.texts->emplace_back(line);
    }
    return start;
}

}  // namespace peers
