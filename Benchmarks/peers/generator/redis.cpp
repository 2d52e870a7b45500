#include "redis.hpp"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace peers {
namespace {

char* putWord(char* at, std::string_view word) {
    *at++ = '$';
    at = putNumber(at, word.size());
    at = put(at, "\r\n");
    at = std::copy(word.begin(), word.end(), at);
    return put(at, "\r\n");
}

char* putMemberName(char* at, u32 member) {
    char name[16] = "m";
    const char* end = putNumber(name + 1, member);
    return putWord(at, {name, static_cast<std::size_t>(end - name)});
}

/// Where the answer that begins here ends; npos when it is not whole yet.
std::size_t endOfAnswer(std::string_view bytes, std::size_t at) {
    const std::size_t line = bytes.find("\r\n", at);
    if (line == std::string_view::npos) return line;
    const char kind = bytes[at];
    if (kind != '$' && kind != '*') return line + 2;
    long long count = 0;
    std::from_chars(bytes.data() + at + 1, bytes.data() + line, count);
    if (count < 0) return line + 2;
    if (kind == '$') {
        const std::size_t end = line + 2 + static_cast<std::size_t>(count) + 2;
        return end <= bytes.size() ? end : std::string_view::npos;
    }
    std::size_t end = line + 2;
    for (long long item = 0; item < count && end != std::string_view::npos; ++item)
        end = end < bytes.size() ? endOfAnswer(bytes, end) : std::string_view::npos;
    return end;
}

std::string script(const char* name) {
    const char* directory = std::getenv("PEERS");
    std::ifstream file(std::string(directory ? directory : ".") + "/redis/" + name);
    if (!file) throw Failure(std::string("cannot read redis/") + name + "; set PEERS to the directory with it");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// One request and its answer, over a connection of its own.
class Single final : public StreamChannel {
public:
    explicit Single(int port) : StreamChannel(port) {}
    std::string ask(const std::vector<std::string>& words) {
        std::size_t size = 16;
        for (const auto& word : words) size += word.size() + 32;
        char* at = reserve(size);
        *at++ = '*';
        at = putNumber(at, words.size());
        at = put(at, "\r\n");
        for (const auto& word : words) at = putWord(at, word);
        endAt(at);
        while (!flush()) {}
        std::vector<std::string> texts;
        Answers answers;
        answers.texts = &texts;
        while (texts.empty()) receive(answers);
        if (answers.refused > 0) throw Failure("Redis: " + answers.firstRefusal);
        return texts.front();
    }

private:
    void putMember(u32) override {}
    void putActions(std::span<const Action>, u64) override {}
    void ask(const Question&) override {}
    std::size_t scan(std::string_view bytes, Answers& answers) override {
        const std::size_t end = bytes.empty() ? std::string_view::npos : endOfAnswer(bytes, 0);
        if (end == std::string_view::npos) return 0;
        if (bytes[0] == '-') answers.refuse(bytes.substr(0, end));
        answers.texts->emplace_back(bytes.substr(0, end));
        return end;
    }
};

}  // namespace

std::string redisCommand(int port, const std::vector<std::string>& words) { return Single(port).ask(words); }

std::string loadRedisScript(int port, const std::string& text) {
    return redisWords(redisCommand(port, {"SCRIPT", "LOAD", text})).at(0);
}

std::vector<std::string> redisWords(std::string_view answer) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < answer.size();) {
        const std::size_t line = answer.find("\r\n", at);
        const std::string_view head = answer.substr(at + 1, line - at - 1);
        const char kind = answer[at];
        at = line + 2;
        if (kind == '*') continue;
        if (kind != '$') {
            words.emplace_back(head);
        } else if (head == "-1") {
            words.emplace_back("-");
        } else {
            const std::size_t count = std::stoul(std::string(head));
            words.emplace_back(answer.substr(at, count));
            at += count + 2;
        }
    }
    return words;
}

RedisChannel::RedisChannel(int port)
    : StreamChannel(port), actionScript_(loadRedisScript(port, script("action.lua"))),
      aroundScript_(loadRedisScript(port, script("around.lua"))) {}

void RedisChannel::putMember(u32 member) {
    // The three above are kept with the member, so that an action finds them in one read.
    char* at = reserve(256);
    at = put(at, "*8\r\n$4\r\nHSET\r\n");
    at = putMemberName(at, member);
    u32 upline = member;
    for (const std::string_view field : {"u1", "u2", "u3"}) {
        at = putWord(at, field);
        upline = upline == nobody ? nobody : referrerOf(upline);
        at = upline == nobody ? putWord(at, "") : putMemberName(at, upline);
    }
    endAt(at);
}

void RedisChannel::putActions(std::span<const Action> actions, u64 seed) {
    char* at = reserve(actions.size() * 320);
    for (const Action& action : actions) {
        at = put(at, "*8\r\n$7\r\nEVALSHA\r\n");
        at = putWord(at, actionScript_);
        at = put(at, "$1\r\n3\r\n");
        char text[48] = "s";
        char* end = putNumber(text + 1, seed);
        *end++ = '-';
        end = putNumber(end, action.number);
        at = putWord(at, {text, static_cast<std::size_t>(end - text)});
        at = putMemberName(at, action.performer);
        at = put(at, "$13\r\nboard:2026-11\r\n");
        end = putNumber(text, action.cents);
        at = putWord(at, {text, static_cast<std::size_t>(end - text)});
        at = putWord(at, time_.of(action));
    }
    endAt(at);
}

void RedisChannel::ask(const Question& question) {
    char* at = reserve(256);
    switch (question.kind) {
    case Question::Kind::wallet:
        at = put(at, "*4\r\n$5\r\nHMGET\r\n");
        at = putMemberName(at, question.member);
        at = put(at, "$6\r\npoints\r\n$5\r\ncents\r\n");
        break;
    case Question::Kind::rank:
        at = put(at, "*3\r\n$8\r\nZREVRANK\r\n$13\r\nboard:2026-11\r\n");
        at = putMemberName(at, question.member);
        break;
    case Question::Kind::around:
        at = put(at, "*5\r\n$7\r\nEVALSHA\r\n");
        at = putWord(at, aroundScript_);
        at = put(at, "$1\r\n1\r\n$13\r\nboard:2026-11\r\n");
        at = putMemberName(at, question.member);
        break;
    case Question::Kind::top10:
        at = put(at, "*5\r\n$9\r\nZREVRANGE\r\n$13\r\nboard:2026-11\r\n$1\r\n0\r\n$1\r\n9\r\n$10\r\nWITHSCORES\r\n");
        break;
    case Question::Kind::top100:
        at = put(at, "*5\r\n$9\r\nZREVRANGE\r\n$13\r\nboard:2026-11\r\n$1\r\n0\r\n$2\r\n99\r\n$10\r\nWITHSCORES\r\n");
        break;
    }
    endAt(at);
}

std::size_t RedisChannel::scan(std::string_view bytes, Answers& answers) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const std::size_t end = endOfAnswer(bytes, at);
        if (end == std::string_view::npos) break;
        const std::string_view answer = bytes.substr(at, end - at);
        // The script answers in words; reads answer anything but an error.
        if (answer[0] == '-' || answer == "+CONFLICT\r\n" || answer == "+UNKNOWN\r\n") answers.refuse(answer);
        else if (answer == "+DUPLICATE\r\n") ++answers.duplicates;
        else ++answers.done;
        if (answers.texts) answers.texts->emplace_back(answer);
        at = end;
    }
    return at;
}

}  // namespace peers
