// One month's board: scores that only rise, exact ranks, and a sorted top.
#pragma once

#include "bytes.hpp"

#include <algorithm>
#include <vector>

namespace guerdon {

/// How many members have each score: counts, counts of 64 scores, counts of 4,096. A change touches six of them, a
/// rank adds up to 64 + 64 + a few.
class ScoreCounts {
public:
    void move(u64 from, u64 to) {
        if (to >= counts_.size()) widen(to);
        if (from > 0) {
            --counts_[from];
            --middles_[from >> 6];
            --tops_[from >> 12];
        }
        ++counts_[to];
        ++middles_[to >> 6];
        ++tops_[to >> 12];
    }

    /// How many members have a higher score.
    u64 above(u64 score) const {
        if (score >= counts_.size()) return 0;
        u64 sum = 0;
        for (u64 at = score + 1, end = ((score >> 6) + 1) << 6; at < end; ++at) sum += counts_[at];
        for (u64 at = (score >> 6) + 1, end = ((score >> 12) + 1) << 6; at < end; ++at) sum += middles_[at];
        for (u64 at = (score >> 12) + 1; at < tops_.size(); ++at) sum += tops_[at];
        return sum;
    }

private:
    void widen(u64 score) {
        const u64 size = std::max<u64>(counts_.size() * 2, ((score >> 12) + 1) << 12);
        counts_.resize(size);
        middles_.resize(size >> 6);
        tops_.resize(size >> 12);
    }

    std::vector<u32> counts_ = std::vector<u32>(1 << 13);
    std::vector<u32> middles_ = std::vector<u32>(1 << 7);
    std::vector<u32> tops_ = std::vector<u32>(2);
};

class Board {
public:
    struct Standing {
        u32 score = 0;
        u32 changedAt = 0;  // the log position of the last change: whoever got there first stands higher
    };

    Board(u32 month, std::size_t members) : month(month), standings_(std::size_t(1) << 28) { standings_.touch(members); }

    const u32 month;  // year × 12 + month

    void prefetch(u32 member) const { __builtin_prefetch(&standings_[member], 1); }

    void credit(u32 member, u64 points, u64 position) {
        Standing& standing = standings_[member];
        const u64 before = standing.score;
        standing.score = static_cast<u32>(before + points);
        standing.changedAt = static_cast<u32>(position);
        counts_.move(before, standing.score);
        total_ += before == 0;
        if (standing.score >= candidateScore_) [[unlikely]] note(member, before);
    }

    u64 total() const { return total_; }
    u64 score(u32 member) const { return standings_[member].score; }
    u64 rank(u64 score) const { return counts_.above(score) + 1; }

    /// The first of the board, best first. `idOf` tells a member's id, which decides last.
    template <class IdOf>
    const std::vector<u32>& sortedTop(std::size_t count, IdOf idOf) {
        count = std::min(count, std::min<std::size_t>(kept, candidates_.size()));
        if (sortedCount_ >= count) return candidates_;
        const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
        std::partial_sort(candidates_.begin(), end, candidates_.end(), [&](u32 a, u32 b) {
            const Standing& one = standings_[a];
            const Standing& other = standings_[b];
            if (one.score != other.score) return one.score > other.score;
            if (one.changedAt != other.changedAt) return one.changedAt < other.changedAt;
            return idOf(a) < idOf(b);
        });
        sortedCount_ = count;
        return candidates_;
    }

    /// So many places can be listed.
    static constexpr std::size_t kept = 1024;

private:
    /// Everybody with at least `candidateScore_` is a candidate, and at least `kept` are, if so many have a score.
    void note(u32 member, u64 before) {
        sortedCount_ = 0;
        if (before >= candidateScore_) return;
        candidates_.push_back(member);
        if (candidates_.size() < kept * 4) return;
        const auto last = candidates_.begin() + kept;
        std::nth_element(candidates_.begin(), last, candidates_.end(),
                         [&](u32 a, u32 b) { return standings_[a].score > standings_[b].score; });
        candidateScore_ = standings_[*last].score;
        std::erase_if(candidates_, [&](u32 a) { return standings_[a].score < candidateScore_; });
    }

    Reserved<Standing> standings_;
    ScoreCounts counts_;
    u64 total_ = 0;
    std::vector<u32> candidates_;
    u64 candidateScore_ = 1;
    std::size_t sortedCount_ = 0;
};

}  // namespace guerdon
