// All that the floor knows: who referred whom, balances, the month's board, and every external id it has seen.
#pragma once

#include "board.hpp"
#include "tables.hpp"

#include <memory>
#include <string>
#include <vector>

namespace guerdon {

/// One command as decoded from the wire or from the log. Ids point into the caller's buffer.
struct Row {
    enum class Kind : u8 { action, member };
    Kind kind;
    u32 cents;
    u32 second;  // seconds since 2000-01-01 UTC
    u32 month;   // year × 12 + month
    std::string_view member;
    std::string_view other;  // the action's external id, or the member's referrer, empty for none
    u64 memberHash;
    u64 otherHash;
};

enum class Outcome : u8 { done, duplicate, conflict, unknownMember };

/// What happened to one command.
struct Verdict {
    Outcome outcome;
    u64 position;
};

class State {
public:
    static constexpr u32 nobody = 0xFFFF'FFFF;
    static constexpr std::size_t runLength = 64;
    static constexpr std::size_t membersMax = std::size_t(1) << 28;

    /// What an action needs of its performer, and of those above it. Small, for the sake of the processor's tables of
    /// pages: every further megabyte costs more than a second line to read.
    struct Member {
        u64 points = 0;
        u64 cents = 0;
        u32 referrer = 0;  // its number + 1; 0 for nobody
        u32 key = 0;       // where its id lies
    };
    static_assert(sizeof(Member) == 24);

    State(std::size_t members, std::size_t ids);

    /// Applies up to `runLength` commands in their order, writes what changed the state behind `log` and a verdict
    /// for each. Returns the new end of the log.
    char* apply(Row* rows, std::size_t count, char* log, Verdict* verdicts);

    /// The longest log record.
    static constexpr std::size_t recordBytesMax = 160;

    /// Applies the records of one batch of the log; false when they make no sense.
    bool replay(const char* records, std::size_t bytes);

    u64 position() const { return position_; }
    std::size_t members() const { return memberKeys_.size(); }
    std::size_t actions() const { return idTable_.size(); }

    /// The number of a member; `nobody` when there is none of that id.
    u32 find(std::string_view id) {
        const MemberKey* key = memberKeys_.find(id, hashed(id));
        return key ? key->number : nobody;
    }
    std::string_view idOf(u32 member) const { return memberKeys_.idAt(members_[member].key); }
    const Member& member(u32 number) const { return members_[number]; }
    Board* board(u32 month);

private:
    struct MemberKey {
        u32 number;
    };
    /// What an external id stood for; the same id with anything else is a conflict.
    struct Seen {
        u32 member, cents, second, position;
        bool same(u32 m, u32 c, u32 s) const { return member == m && cents == c && second == s; }
    };

    void score(u32 member, u32 cents, u32 month);
    Verdict putMember(const Row& row, char*& log);
    bool addMember(std::string_view id, u64 hash, u32 referrer);
    void prefetchAbove(const u32* numbers, std::size_t count);
    Board& boardOf(u32 month);

    IdTable<MemberKey> memberKeys_;
    Reserved<Member> members_;
    IdTable<Seen> idTable_;
    std::vector<std::unique_ptr<Board>> boards_;
    std::size_t expectedMembers_;
    u64 position_ = 0;
    /// The other side of every credit: what was issued.
    u64 issuedPoints_ = 0, issuedCents_ = 0;
};

/// The month (year × 12 + month) of a second since 2000-01-01.
u32 monthOf(u32 second);

}  // namespace guerdon
