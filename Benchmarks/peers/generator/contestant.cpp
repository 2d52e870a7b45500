#include "contestant.hpp"

#include "load.hpp"
#include "ndjson.hpp"
#include "postgres.hpp"
#include "redis.hpp"

#include <charconv>

namespace peers {
namespace {

u64 number(std::string_view text) {
    u64 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        throw Failure("not a number: " + std::string(text));
    return value;
}

/// What stands between a text and the next quote; empty when the text is not there.
std::string_view behind(std::string_view line, std::string_view text) {
    const std::size_t at = line.find(text);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = line.substr(at + text.size());
    return rest.substr(0, rest.find_first_of("\",}"));
}

/// `12.34` as 1234.
u64 hundredths(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || dot + 3 != text.size()) throw Failure("not an amount: " + std::string(text));
    return number(text.substr(0, dot)) * 100 + number(text.substr(dot + 1));
}

u32 memberNumber(std::string_view name) { return static_cast<u32>(number(name.substr(name.empty() ? 0 : 1))); }

std::vector<std::string> ask(const Endpoint& endpoint, Question::Kind kind, u32 members, u64 count) {
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(std::make_unique<QuestionSource>(kind, members, count, 0, true));
    std::vector<std::string> texts;
    texts.reserve(count);
    const LoadResult result = runLoad(endpoint, 1'024, std::move(sources), &texts);
    if (result.answers.refused > 0) throw Failure("a read was refused: " + result.answers.firstRefusal);
    return texts;
}

}  // namespace

std::unique_ptr<Channel> connect(const Endpoint& endpoint, std::size_t window) {
    switch (endpoint.target) {
    case Target::ndjson: return std::make_unique<NDJSONChannel>(endpoint.port);
    case Target::redis: return std::make_unique<RedisChannel>(endpoint.port);
    case Target::postgres:
    case Target::postgresBatch: return std::make_unique<PostgresChannel>(endpoint, window);
    }
    throw Failure("no such target");
}

Balances readBalances(const Endpoint& endpoint, u32 members) {
    Balances balances(members);
    if (endpoint.target == Target::postgres || endpoint.target == Target::postgresBatch) {
        const auto rows = postgresRows(endpoint, "SELECT member, points, cents FROM members ORDER BY member");
        if (rows.size() != members) throw Failure("PostgreSQL has " + std::to_string(rows.size()) + " members");
        for (const auto& row : rows) {
            balances.points.at(number(row[0])) = number(row[1]);
            balances.cents.at(number(row[0])) = number(row[2]);
        }
        return balances;
    }
    const auto texts = ask(endpoint, Question::Kind::wallet, members, members);
    for (u32 member = 0; member < members; ++member) {
        const std::string& text = texts[member];
        if (endpoint.target == Target::redis) {
            const auto words = redisWords(text);
            balances.points[member] = words.at(0) == "-" ? 0 : number(words[0]);
            balances.cents[member] = words.at(1) == "-" ? 0 : number(words[1]);
        } else {
            if (memberNumber(behind(text, "\"member\":\"")) != member) throw Failure("another member's wallet: " + text);
            const auto points = behind(text, "\"currency\":\"PTS\",\"available\":\"");
            const auto money = behind(text, "\"currency\":\"USD\",\"available\":\"");
            balances.points[member] = points.empty() ? 0 : number(points);
            balances.cents[member] = money.empty() ? 0 : hundredths(money);
        }
    }
    return balances;
}

std::vector<Place> readTop(const Endpoint& endpoint) {
    std::vector<Place> top;
    if (endpoint.target == Target::postgres || endpoint.target == Target::postgresBatch) {
        for (const auto& row : postgresRows(endpoint, "SELECT member, score FROM board WHERE month = '2026-11-01' "
                                                      "ORDER BY score DESC LIMIT 100"))
            top.push_back({static_cast<u32>(number(row[0])), number(row[1]), 0});
        return top;
    }
    const std::string text = ask(endpoint, Question::Kind::top100, 1, 1).at(0);
    if (endpoint.target == Target::redis) {
        const auto words = redisWords(text);
        for (std::size_t at = 0; at + 1 < words.size(); at += 2)
            top.push_back({memberNumber(words[at]), number(words[at + 1]), 0});
        return top;
    }
    std::string_view rest = text;
    for (std::size_t at; (at = rest.find("{\"rank\":")) != std::string_view::npos;) {
        rest.remove_prefix(at + 8);
        top.push_back({memberNumber(behind(rest, "\"member\":\"")), number(behind(rest, "\"score\":\"")),
                       number(rest.substr(0, rest.find(',')))});
    }
    return top;
}

}  // namespace peers
