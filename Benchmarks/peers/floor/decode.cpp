#include "decode.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace guerdon {
namespace {

bool digits(const char* text, std::size_t count, u32& value) {
    value = 0;
    for (std::size_t at = 0; at < count; ++at) {
        const auto digit = static_cast<u32>(static_cast<u8>(text[at]) - '0');
        if (digit > 9) return false;
        value = value * 10 + digit;
    }
    return true;
}

/// An amount with at most two decimals, in hundredths.
bool hundredths(std::string_view text, u32& cents) {
    u64 value = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] != '.'; ++at) {
        const auto digit = static_cast<u32>(static_cast<u8>(text[at]) - '0');
        if (digit > 9 || at > 8) return false;
        value = value * 10 + digit;
    }
    if (at == 0) return false;
    value *= 100;
    if (at < text.size()) {
        u32 fraction;
        const std::size_t decimals = text.size() - at - 1;
        if (decimals < 1 || decimals > 2 || !digits(text.data() + at + 1, decimals, fraction)) return false;
        value += decimals == 2 ? fraction : fraction * 10;
    }
    cents = static_cast<u32>(value);
    return value > 0 && value <= 0xFFFF'FFFF;
}

/// Days since 2000-01-01.
u32 dayNumber(u32 year, u32 month, u32 day) {
    const u32 y = year - (month <= 2);
    const u32 era = y / 400;
    const u32 yearOfEra = y - era * 400;
    const u32 dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146'097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 730'425;
}

/// Reads up to 15 bytes behind the text: the buffers are padded.
bool hasBackslash(std::string_view text) {
#if defined(__SSE2__)
    const __m128i backslashes = _mm_set1_epi8('\\');
    for (std::size_t at = 0; at < text.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        auto mask = static_cast<u32>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslashes)));
        if (text.size() - at < 16) mask &= (1u << (text.size() - at)) - 1;
        if (mask != 0) return true;
    }
    return false;
#else
    return text.find('\\') != std::string_view::npos;
#endif
}

bool isIn(std::string_view id) { return !id.empty() && id.size() <= 128; }

}  // namespace

bool Decoder::text(Object& object, std::string_view name, std::string_view& out, bool isOptional) {
    simdjson::ondemand::value value;
    if (const auto error = object.find_field_unordered(name).get(value)) {
        out = {};
        return isOptional && error == simdjson::NO_SUCH_FIELD;
    }
    // The text between the quotes as it stands, unless something is escaped in it.
    const std::string_view raw = value.raw_json_token();
    std::size_t length = raw.size();
    while (length > 0 && static_cast<u8>(raw[length - 1]) <= ' ') --length;
    if (length < 2 || raw[0] != '"' || raw[length - 1] != '"') return false;
    out = raw.substr(1, length - 2);
    if (!hasBackslash(out)) [[likely]] return true;
    std::string_view plain;
    if (value.get_string().get(plain)) return false;
    out = unescaped_.emplace_back(plain);
    return true;
}

bool Decoder::time(std::string_view text, Row& row) {
    if (text.size() != 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z') return false;
    const char* t = text.data();
    if (std::memcmp(t, lastDate_, 10) != 0) {
        u32 year, month, day;
        if (t[4] != '-' || t[7] != '-' || !digits(t, 4, year) || !digits(t + 5, 2, month) || !digits(t + 8, 2, day))
            return false;
        if (year < 2000 || year > 2100 || month < 1 || month > 12 || day < 1 || day > 31) return false;
        const u32 number = dayNumber(year, month, day);
        if (monthOf(number * 86'400) != year * 12 + month) return false;  // no such day in this month
        std::memcpy(lastDate_, t, 10);
        lastDay_ = number;
        lastMonth_ = year * 12 + month;
    }
    u32 hour, minute, second;
    if (!digits(t + 11, 2, hour) || !digits(t + 14, 2, minute) || !digits(t + 17, 2, second)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    row.second = lastDay_ * 86'400 + hour * 3'600 + minute * 60 + second;
    row.month = lastMonth_;
    return true;
}

Decoded Decoder::action(Object& object, Row& row, const char*& complaint) {
    std::string_view type, value, currency, at;
    complaint = "an action needs externalId, performer, type, value, currency and at";
    if (!text(object, "externalId", row.other) || !text(object, "performer", row.member) ||
        !text(object, "type", type) || !text(object, "value", value) || !text(object, "currency", currency) ||
        !text(object, "at", at))
        return Decoded::wrong;
    if (!isIn(row.other) || !isIn(row.member)) return Decoded::wrong;
    complaint = "the floor knows purchases in USD at a time in UTC and nothing else";
    if (type != "purchase" || currency != "USD" || !hundredths(value, row.cents) || !time(at, row)) return Decoded::wrong;
    row.kind = Row::Kind::action;
    return Decoded::row;
}

Decoded Decoder::member(Object& object, Row& row, const char*& complaint) {
    complaint = "a member needs an id and may have a referrer";
    if (!text(object, "member", row.member) || !text(object, "referrer", row.other, true)) return Decoded::wrong;
    if (!isIn(row.member) || row.other.size() > 128) return Decoded::wrong;
    row.kind = Row::Kind::member;
    return Decoded::row;
}

Decoded Decoder::other(std::string_view operation, Object& object, Read& read, const char*& complaint) {
    complaint = "the floor does not know this operation";
    if (operation == "ping") read.kind = Read::Kind::ping;
    else if (operation == "stats") read.kind = Read::Kind::stats;
    else if (operation == "wallet") read.kind = Read::Kind::wallet;
    else if (operation == "board.rank") read.kind = Read::Kind::rank;
    else if (operation == "board.top") read.kind = Read::Kind::top;
    else if (operation == "currency.put" || operation == "plan.put" || operation == "board.put")
        read.kind = Read::Kind::setup;  // known by heart
    else return Decoded::wrong;
    if (read.kind == Read::Kind::rank || read.kind == Read::Kind::top) {
        std::string_view period;
        u32 year, month;
        complaint = "a read of the board needs a period such as 2026-11";
        if (!text(object, "period", period) || period.size() != 7 || !digits(period.data(), 4, year) ||
            !digits(period.data() + 5, 2, month))
            return Decoded::wrong;
        read.month = year * 12 + month;
    }
    if (read.kind == Read::Kind::wallet || read.kind == Read::Kind::rank) {
        complaint = "which member?";
        if (!text(object, "member", read.member)) return Decoded::wrong;
    }
    if (read.kind == Read::Kind::top) {
        uint64_t limit;
        if (!object.find_field_unordered("limit").get_uint64().get(limit)) read.limit = limit;
    }
    return Decoded::read;
}

Decoded Decoder::decode(simdjson::ondemand::document_reference document, Row& row, Read& read, const char*& complaint) {
    Object object;
    std::string_view operation;
    complaint = "not an object with an op";
    if (document.get_object().get(object) || !text(object, "op", operation)) return Decoded::wrong;
    if (operation == "action") [[likely]] return action(object, row, complaint);
    if (operation == "member.put") return member(object, row, complaint);
    read = Read{};
    return other(operation, object, read, complaint);
}

}  // namespace guerdon
