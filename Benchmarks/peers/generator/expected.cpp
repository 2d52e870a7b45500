#include "expected.hpp"

#include <functional>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>

namespace peers {

std::vector<Phase> parsePhases(const std::string& text) {
    std::vector<Phase> phases;
    std::istringstream all(text);
    for (std::string one; std::getline(all, one, ',');) {
        std::istringstream parts(one);
        Phase phase{};
        char colon;
        if (!(parts >> phase.seed >> colon >> phase.connections >> colon >> phase.actions))
            throw std::invalid_argument("a phase is seed:connections:actions, not " + one);
        phases.push_back(phase);
    }
    return phases;
}

u64 Balances::sumOfPoints() const { return std::accumulate(points.begin(), points.end(), u64(0)); }
u64 Balances::sumOfCents() const { return std::accumulate(cents.begin(), cents.end(), u64(0)); }

u64 Balances::hash() const {
    u64 sum = 0;
    for (std::size_t member = 0; member < points.size(); ++member)
        sum += mixed(points[member], mixed(cents[member], member));
    return sum;
}

Balances expectedBalances(u32 members, const std::vector<Phase>& phases) {
    Balances balances(members);
    for (const Phase& phase : phases) {
        for (u32 connection = 0; connection < phase.connections; ++connection) {
            Stream stream(phase.seed, members, connection, phase.connections, phase.actions);
            while (!stream.isAtEnd()) {
                const Action action = stream.next();
                if (action.isResent) continue;
                balances.points[action.performer] += action.cents / 100;
                u32 upline = action.performer;
                for (const u64 percent : uplinePercents) {
                    upline = referrerOf(upline);
                    if (upline == nobody) break;
                    balances.cents[upline] += share(action.cents, percent);
                }
            }
        }
    }
    return balances;
}

std::string complaintAboutTop(const std::vector<Place>& top, const Balances& expected, std::size_t count) {
    std::vector<u64> scores = expected.points;
    const std::size_t scored = scores.size() - static_cast<std::size_t>(std::count(scores.begin(), scores.end(), u64(0)));
    count = std::min(count, scored);
    if (top.size() != count) return "the top has " + std::to_string(top.size()) + " places";
    std::partial_sort(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count), scores.end(), std::greater{});
    std::set<u32> seen;
    u64 rank = 0;
    for (std::size_t at = 0; at < count; ++at) {
        const std::string place = "place " + std::to_string(at + 1);
        if (top[at].score != scores[at]) return place + " has the score " + std::to_string(top[at].score);
        if (top[at].member >= expected.points.size() || expected.points[top[at].member] != top[at].score)
            return place + " is not the score of m" + std::to_string(top[at].member);
        if (!seen.insert(top[at].member).second) return place + " stands there twice";
        if (at == 0 || scores[at] != scores[at - 1]) rank = at + 1;
        if (top[at].rank != 0 && top[at].rank != rank) return place + " has the rank " + std::to_string(top[at].rank);
    }
    return {};
}

}  // namespace peers
