// Lines of JSON to rows: simdjson on demand, fields in any order, ids left where they are.
#pragma once

#include "state.hpp"

#include <deque>
#include <simdjson.h>

namespace guerdon {

/// A request other than an action or a member.
struct Read {
    enum class Kind : u8 { ping, stats, wallet, rank, top, setup };
    Kind kind;
    std::string_view member;
    u32 month = 0;
    u64 limit = 10;
};

enum class Decoded : u8 { row, read, wrong };

class Decoder {
public:
    /// Decodes one document. What the ids point to stays valid until `forgetTexts` and as long as the buffer.
    Decoded decode(simdjson::ondemand::document_reference document, Row& row, Read& read, const char*& complaint);

    void forgetTexts() { unescaped_.clear(); }

private:
    using Object = simdjson::ondemand::object;

    bool text(Object& object, std::string_view name, std::string_view& out, bool isOptional = false);
    Decoded action(Object& object, Row& row, const char*& complaint);
    Decoded member(Object& object, Row& row, const char*& complaint);
    Decoded other(std::string_view operation, Object& object, Read& read, const char*& complaint);

    /// `2026-11-05T12:00:00Z`, with the last date remembered.
    bool time(std::string_view text, Row& row);

    std::deque<std::string> unescaped_;
    char lastDate_[10] = {};
    u32 lastDay_ = 0;
    u32 lastMonth_ = 0;
};

}  // namespace guerdon
