#include "state.hpp"

namespace guerdon {
namespace {

enum RecordKind : u8 { actionRecord = 1, memberRecord = 2 };

/// A share of an amount, half a cent rounded up, as the engine's `halfUp` does.
inline u64 share(u64 cents, u64 percent) { return (cents * percent + 50) / 100; }

inline char* writeRecord(char* log, u8 kind, std::string_view id, std::initializer_list<u32> numbers) {
    log[0] = static_cast<char>(kind);
    log[1] = static_cast<char>(id.size());
    std::memcpy(log + 2, id.data(), id.size());
    log += 2 + id.size();
    for (const u32 number : numbers) {
        storeAs(log, number);
        log += 4;
    }
    return log;
}

}  // namespace

u32 monthOf(u32 second) {
    // Howard Hinnant's days-to-civil, with years that begin in March; 2000-03-01 is day 60 since 2000-01-01.
    const u32 days = second / 86'400 + 306;  // since 1999-03-01; 1600-03-01 would be 145,731 days earlier
    const u32 shifted = days + 145'731;
    const u32 era = shifted / 146'097;
    const u32 dayOfEra = shifted % 146'097;
    const u32 yearOfEra = (dayOfEra - dayOfEra / 1'460 + dayOfEra / 36'524 - dayOfEra / 146'096) / 365;
    const u32 dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    const u32 marchMonth = (5 * dayOfYear + 2) / 153;
    const u32 month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
    const u32 year = 1'600 + era * 400 + yearOfEra + (month <= 2);
    return year * 12 + month;
}

State::State(std::size_t members, std::size_t ids)
    : memberKeys_(members), members_(membersMax), idTable_(ids), expectedMembers_(members) {
    members_.touch(members);
}

Board* State::board(u32 month) {
    for (const auto& board : boards_)
        if (board->month == month) return board.get();
    return nullptr;
}

Board& State::boardOf(u32 month) {
    if (!boards_.empty() && boards_.back()->month == month) [[likely]] return *boards_.back();
    if (Board* known = board(month)) return *known;
    return *boards_.emplace_back(std::make_unique<Board>(month, expectedMembers_));
}

inline void State::score(u32 number, u32 cents, u32 month) {
    Member* member = &members_[number];
    const u64 points = cents / 100;
    if (points > 0) {
        member->points += points;
        issuedPoints_ += points;
        boardOf(month).credit(number, points, position_);
    }
    for (const u64 percent : {5, 3, 1}) {
        if (member->referrer == 0) return;
        member = &members_[member->referrer - 1];
        const u64 commission = share(cents, percent);
        member->cents += commission;
        issuedCents_ += commission;
    }
}

/// False when there is a member of that id already.
bool State::addMember(std::string_view id, u64 hash, u32 referrer) {
    if (memberKeys_.size() == membersMax) throw std::bad_alloc();
    bool fresh;
    MemberKey* key = memberKeys_.findOrInsert(id, hash, fresh);
    if (!fresh) return false;
    key->number = static_cast<u32>(memberKeys_.size() - 1);
    members_[key->number].referrer = referrer + 1;
    members_[key->number].key = memberKeys_.unitOf(key);
    return true;
}

Verdict State::putMember(const Row& row, char*& log) {
    u32 referrer = nobody;
    if (!row.other.empty()) {
        const MemberKey* key = memberKeys_.find(row.other, row.otherHash);
        if (!key) return {Outcome::unknownMember, position_};
        referrer = key->number;
    }
    if (!addMember(row.member, row.memberHash, referrer)) {
        const bool same = referrer == nobody || members_[find(row.member)].referrer == referrer + 1;
        return {same ? Outcome::duplicate : Outcome::conflict, position_};
    }
    log = writeRecord(log, memberRecord, row.member, {referrer});
    return {Outcome::done, ++position_};
}

void State::prefetchAbove(const u32* numbers, std::size_t count) {
    // Two levels in turn; the third is a small part of all and mostly at hand.
    u32 first[runLength];
    for (std::size_t at = 0; at < count; ++at) {
        first[at] = numbers[at] == nobody ? 0 : members_[numbers[at]].referrer;
        if (first[at] != 0) __builtin_prefetch(&members_[first[at] - 1], 1);
    }
    for (std::size_t at = 0; at < count; ++at) {
        if (first[at] == 0) continue;
        if (const u32 second = members_[first[at] - 1].referrer) __builtin_prefetch(&members_[second - 1], 1);
    }
}

char* State::apply(Row* rows, std::size_t count, char* log, Verdict* verdicts) {
    // Short passes, each of which asks for the memory that the next one reads.
    for (std::size_t at = 0; at < count; ++at) {
        Row& row = rows[at];
        row.memberHash = hashed(row.member);
        row.otherHash = hashed(row.other);
        memberKeys_.prefetchSlot(row.memberHash);
        if (row.kind == Row::Kind::action) idTable_.prefetchSlot(row.otherHash);
        else memberKeys_.prefetchSlot(row.otherHash);
    }
    for (std::size_t at = 0; at < count; ++at) {
        memberKeys_.prefetchEntry(rows[at].memberHash);
        if (rows[at].kind == Row::Kind::action) idTable_.prefetchEntry(rows[at].otherHash);
    }
    Board* const latest = boards_.empty() ? nullptr : boards_.back().get();
    u32 members[runLength];
    for (std::size_t at = 0; at < count; ++at) {
        const MemberKey* key = memberKeys_.find(rows[at].member, rows[at].memberHash);
        members[at] = key ? key->number : nobody;
        if (!key) continue;
        __builtin_prefetch(&members_[key->number], 1);
        if (latest) latest->prefetch(key->number);
    }
    prefetchAbove(members, count);
    for (std::size_t at = 0; at < count; ++at) {
        const Row& row = rows[at];
        if (row.kind == Row::Kind::member) [[unlikely]] {
            verdicts[at] = putMember(row, log);
            continue;
        }
        u32 member = members[at];
        if (member == nobody) [[unlikely]] {
            member = find(row.member);  // the member may have come in this very run
            if (member == nobody) {
                verdicts[at] = {Outcome::unknownMember, position_};
                continue;
            }
        }
        bool fresh;
        Seen* seen = idTable_.findOrInsert(row.other, row.otherHash, fresh);
        if (!fresh) {
            const bool same = seen->same(member, row.cents, row.second);
            verdicts[at] = {same ? Outcome::duplicate : Outcome::conflict, same ? seen->position : position_};
            continue;
        }
        ++position_;
        *seen = {member, row.cents, row.second, static_cast<u32>(position_)};
        score(member, row.cents, row.month);
        log = writeRecord(log, actionRecord, row.other, {member, row.cents, row.second});
        verdicts[at] = {Outcome::done, position_};
    }
    return log;
}

bool State::replay(const char* records, std::size_t bytes) {
    struct Logged {
        std::string_view id;
        u64 hash;
        u32 cents, second;
    };
    Logged run[runLength];
    u32 members[runLength];
    const char* const end = records + bytes;
    while (records < end) {
        std::size_t count = 0;
        for (; count < runLength && records < end && *records == actionRecord; ++count) {
            const std::string_view id(records + 2, static_cast<u8>(records[1]));
            records += 2 + id.size() + 12;
            if (records > end) return false;
            run[count] = {id, hashed(id), loadAs<u32>(records - 8), loadAs<u32>(records - 4)};
            members[count] = loadAs<u32>(records - 12);
            if (members[count] >= memberKeys_.size()) return false;
            idTable_.prefetchSlot(run[count].hash);
            __builtin_prefetch(&members_[members[count]], 1);
            if (!boards_.empty()) boards_.back()->prefetch(members[count]);
        }
        prefetchAbove(members, count);
        for (std::size_t at = 0; at < count; ++at) {
            const Logged& action = run[at];
            bool fresh;
            Seen* seen = idTable_.findOrInsert(action.id, action.hash, fresh);
            if (!fresh) return false;
            ++position_;
            *seen = {members[at], action.cents, action.second, static_cast<u32>(position_)};
            score(members[at], action.cents, monthOf(action.second));
        }
        if (count > 0) continue;
        if (*records != memberRecord) return false;
        const std::string_view id(records + 2, static_cast<u8>(records[1]));
        records += 2 + id.size() + 4;
        if (records > end) return false;
        const u32 referrer = loadAs<u32>(records - 4);
        if (referrer != nobody && referrer >= memberKeys_.size()) return false;
        if (!addMember(id, hashed(id), referrer)) return false;
        ++position_;
    }
    return true;
}

}  // namespace guerdon
