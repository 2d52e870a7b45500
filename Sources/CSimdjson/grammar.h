// What both roads of the reader know: the reader itself, and the grammar of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <simdjson.h>

#include "csimdjson.h"

struct csj_reader {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    std::unique_ptr<csj_token[]> tokens;
    uint32_t token_capacity;
    uint32_t depth_max;
    // The fields of the plain line read last, in their order: what to expect of the next one.
    uint8_t order[32];
};

namespace csj {

inline bool is_digit(uint8_t c) { return uint8_t(c - '0') < 10; }

// Behind the number at `p`, which must be before `end`; nullptr if there is none.
inline const uint8_t *number_end(const uint8_t *p, const uint8_t *end) {
    if (*p == '-') p++;
    if (p == end || !is_digit(*p)) return nullptr;
    if (*p == '0') {
        p++;
    } else {
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && *p == '.') {
        p++;
        if (p == end || !is_digit(*p)) return nullptr;
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        if (p == end || !is_digit(*p)) return nullptr;
        while (p < end && is_digit(*p)) p++;
    }
    return p;
}

}  // namespace csj
