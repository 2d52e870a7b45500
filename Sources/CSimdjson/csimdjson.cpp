#include "csimdjson.h"

#include <cstring>
#include <memory>
#include <new>

#include <simdjson.h>

// Stage 1 of simdjson yields the offset of every structural: one of {}[]:, or the first byte of a string, number or word.
// Every byte that is not white space belongs to exactly one of them: it runs up to the next one, white space trimmed. So
// whoever checks each structural with its run has checked every byte.

struct csj_parser {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    const uint8_t *bytes = nullptr;
    size_t count = 0;
    bool escapes = false;

    const uint32_t *structurals() const { return stage->structural_indexes.get(); }
    uint32_t structural_count() const { return stage->n_structural_indexes; }
};

namespace {

bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(uint8_t c) { return uint8_t(c - '0') < 10; }

// The end of the run that begins at `start` and may not reach `limit`.
inline size_t run_end(const uint8_t *bytes, size_t start, size_t limit) {
    size_t end = limit;
    while (end > start + 1 && is_space(bytes[end - 1])) end--;
    return end;
}

bool is_number(const uint8_t *p, const uint8_t *end) {
    if (p < end && *p == '-') p++;
    if (p == end || !is_digit(*p)) return false;
    if (*p == '0') {
        p++;
    } else {
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && *p == '.') {
        p++;
        if (p == end || !is_digit(*p)) return false;
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        if (p == end || !is_digit(*p)) return false;
        while (p < end && is_digit(*p)) p++;
    }
    return p == end;
}

int hex_digit(uint8_t c) {
    if (is_digit(c)) return c - '0';
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int hex_four(const uint8_t *p, const uint8_t *end) {
    if (end - p < 4) return -1;
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        code = code << 4 | digit;
    }
    return code;
}

// The first malformed escape, or nullptr. A surrogate must be one half of a pair.
const uint8_t *bad_escape(const uint8_t *p, const uint8_t *end) {
    while ((p = static_cast<const uint8_t *>(memchr(p, '\\', end - p)))) {
        const uint8_t *escape = p++;
        if (p == end) return escape;
        if (*p != 'u') {
            if (!*p || !strchr("\"\\/bfnrt", *p)) return escape;
            p++;
            continue;
        }
        int code = hex_four(++p, end);
        if (code < 0 || (code >= 0xDC00 && code < 0xE000)) return escape;
        p += 4;
        if (code >= 0xD800 && code < 0xDC00) {
            if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return escape;
            int low = hex_four(p + 2, end);
            if (low < 0xDC00 || low >= 0xE000) return escape;
            p += 6;
        }
    }
    return nullptr;
}

// The number of a field of an action, or -1.
inline int field_number(const uint8_t *key, size_t count) {
#define CSJ_IS(word, number) (memcmp(key, word, sizeof(word) - 1) == 0 ? (number) : -1)
    switch (count) {
    case 2: return key[0] == 'o' ? CSJ_IS("op", CSJ_OP) : key[0] == 'i' ? CSJ_IS("id", CSJ_ID) : CSJ_IS("at", CSJ_AT);
    case 4: return CSJ_IS("type", CSJ_TYPE);
    case 5: return key[0] == 'v' ? CSJ_IS("value", CSJ_VALUE_FIELD) : CSJ_IS("title", CSJ_TITLE);
    case 8: return CSJ_IS("currency", CSJ_CURRENCY);
    case 9: return key[0] == 'p' ? CSJ_IS("performer", CSJ_PERFORMER) : CSJ_IS("workspace", CSJ_WORKSPACE);
    case 10: return key[0] == 'e' ? CSJ_IS("externalId", CSJ_EXTERNAL_ID) : CSJ_IS("attributes", CSJ_ATTRIBUTES);
    default: return -1;
    }
#undef CSJ_IS
}

const uint32_t needed_fields = 1u << CSJ_OP | 1u << CSJ_EXTERNAL_ID | 1u << CSJ_PERFORMER | 1u << CSJ_TYPE;

// Whether the fields gathered make an action.
inline bool is_action(const uint8_t *bytes, const csj_row *row, uint32_t present) {
    if ((present & needed_fields) != needed_fields) return false;
    csj_span op = row->fields[CSJ_OP];
    return op.count == 6 && memcmp(bytes + op.start, "action", 6) == 0;
}

// The structural behind the object at structural `i`, as its brackets say, or `last` if it is not closed before `end`.
uint32_t behind_object(const uint8_t *bytes, const uint32_t *at, uint32_t i, uint32_t last, size_t end) {
    uint32_t depth = 0;
    for (; i < last && at[i] < end; i++) {
        uint8_t c = bytes[at[i]];
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return i + 1;
    }
    return last;
}

// Takes one member of a plain action: `key_end` is behind the key's quote, `value_end` behind the value, which begins at
// structural `structural`.
inline bool take_member(const csj_parser *parser, size_t key, size_t key_end, uint32_t structural, size_t value_end,
                        uint32_t *present, csj_row *row) {
    const uint8_t *bytes = parser->bytes;
    size_t value = parser->structurals()[structural];
    if (bytes[key] != '"' || key_end < key + 2 || bytes[key_end - 1] != '"') return false;
    int field = field_number(bytes + key + 1, key_end - key - 2);
    if (field < 0 || *present & (1u << field)) return false;
    if (bytes[value] == '"') {
        value++;
        value_end--;
        if (field == CSJ_ATTRIBUTES || value_end < value || bytes[value_end] != '"') return false;
        if (parser->escapes && memchr(bytes + value, '\\', value_end - value)) return false;
    } else if (field == CSJ_ATTRIBUTES) {
        if (bytes[value] != '{') return false;
        row->attributes = structural;
    } else {
        if (field != CSJ_VALUE_FIELD && field != CSJ_ID) return false;
        if (!is_number(bytes + value, bytes + value_end)) return false;
        *present |= field == CSJ_ID ? CSJ_ID_IS_NUMBER : CSJ_VALUE_IS_NUMBER;
    }
    *present |= 1u << field;
    row->fields[field] = {uint32_t(value), uint32_t(value_end - value)};
    return true;
}

// Reads a plain action without white space that begins at `start`; its end is found on the way. Returns the structural
// behind it, or 0 when it is anything else, right or wrong.
inline uint32_t compact_action(const csj_parser *parser, uint32_t i, size_t start, csj_row *row) {
    const uint8_t *bytes = parser->bytes;
    const uint32_t *at = parser->structurals();
    uint32_t all = parser->structural_count();
    if (at[i] != start || bytes[start] != '{') return 0;
    uint32_t present = 0;
    size_t key = start + 1;
    for (i += 1; i + 3 < all;) {
        size_t colon = at[i + 1];
        // Nothing between the tokens, so no line feed either: strings cannot hold one, numbers are checked.
        if (at[i] != key || bytes[colon] != ':' || at[i + 2] != colon + 1) return 0;
        uint32_t next = i + 3;
        if (bytes[colon + 1] == '{') {
            // White space may stand in an object, so the line's end must be known before it is skipped.
            const void *feed = memchr(bytes + colon, '\n', parser->count - colon);
            size_t end = feed ? size_t(static_cast<const uint8_t *>(feed) - bytes) : parser->count;
            next = behind_object(bytes, at, i + 2, all, end);
            if (next >= all || at[next - 1] + 1 != at[next]) return 0;
        }
        size_t behind = at[next];
        if (!take_member(parser, key, colon, i + 2, behind, &present, row)) return 0;
        if (bytes[behind] == '}') {
            size_t end = behind + 1;
            row->count = uint32_t(end - start);
            if (end < parser->count && bytes[end] == '\r') end++;
            if (end < parser->count && bytes[end] != '\n') return 0;
            if (!is_action(bytes, row, present)) return 0;
            row->present = present | CSJ_PLAIN;
            return next + 1;
        }
        if (bytes[behind] != ',') return 0;
        key = behind + 1;
        i = next + 1;
    }
    return 0;
}

// Reads the structurals of one line as a plain action with white space; false when it is anything else, right or wrong.
bool plain_action(const csj_parser *parser, uint32_t i, uint32_t last, size_t end, csj_row *row) {
    const uint8_t *bytes = parser->bytes;
    const uint32_t *at = parser->structurals();
    // At least { key : value }.
    if (last - i < 5 || bytes[at[i]] != '{' || bytes[at[last - 1]] != '}') return false;
    uint32_t present = 0;
    i += 1;
    while (i != last) {
        if (i + 3 >= last) return false;
        size_t colon = at[i + 1];
        uint32_t next = bytes[at[i + 2]] == '{' ? behind_object(bytes, at, i + 2, last, end) : i + 3;
        if (next >= last) return false;
        size_t behind = at[next];
        if (bytes[colon] != ':' || bytes[behind] != (next + 1 == last ? '}' : ',')) return false;
        size_t key_end = run_end(bytes, at[i], colon);
        size_t value_end = run_end(bytes, at[next - 1], behind);
        if (!take_member(parser, at[i], key_end, i + 2, value_end, &present, row)) return false;
        if (next != i + 3 && value_end != at[next - 1] + 1) return false;
        i = next + 1;
    }
    if (at[last - 1] + 1 != run_end(bytes, at[last - 1], end) || !is_action(bytes, row, present)) return false;
    row->present = present | CSJ_PLAIN;
    return true;
}

}  // namespace

csj_parser *csj_create(void) { return new (std::nothrow) csj_parser(); }

void csj_destroy(csj_parser *parser) { delete parser; }

int csj_index(csj_parser *parser, const uint8_t *bytes, size_t count) {
    if (!parser->stage || parser->stage->capacity() < count) {
        size_t capacity = count < 65536 ? 65536 : count + count / 2;
        parser->stage.reset();
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser->stage)) {
            return CSJ_MEMORY;
        }
    }
    parser->bytes = bytes;
    parser->count = count;
    parser->escapes = memchr(bytes, '\\', count) != nullptr;
    switch (parser->stage->stage1(bytes, count, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: return CSJ_OK;
    case simdjson::EMPTY: return CSJ_EMPTY;
    case simdjson::UTF8_ERROR: return CSJ_UTF8;
    case simdjson::UNESCAPED_CHARS: return CSJ_CONTROL;
    case simdjson::UNCLOSED_STRING: return CSJ_UNCLOSED;
    default: return CSJ_VALUE;
    }
}

size_t csj_rows(csj_parser *parser, size_t *line, uint32_t *structural, csj_row *rows, size_t capacity) {
    const uint8_t *bytes = parser->bytes;
    const uint32_t *at = parser->structurals();
    uint32_t i = *structural;
    uint32_t all = parser->structural_count();
    size_t start = *line;
    size_t written = 0;
    while (start < parser->count && written < capacity) {
        csj_row *row = rows + written;
        row->start = uint32_t(start);
        row->first = i;
        uint32_t behind = i < all ? compact_action(parser, i, start, row) : 0;
        if (behind) {
            i = behind;
            written++;
            start += row->count;
            if (start < parser->count && bytes[start] == '\r') start++;
            start++;
            continue;
        }
        const void *feed = memchr(bytes + start, '\n', parser->count - start);
        size_t stop = feed ? size_t(static_cast<const uint8_t *>(feed) - bytes) : parser->count;
        size_t end = stop > start && bytes[stop - 1] == '\r' ? stop - 1 : stop;
        while (i < all && at[i] < end) i++;
        if (end > start) {
            written++;
            row->count = uint32_t(end - start);
            row->present = 0;
            plain_action(parser, row->first, i, end, row);
        }
        start = stop + 1;
    }
    *line = start;
    *structural = i;
    return written;
}

size_t csj_structurals(const csj_parser *parser, uint32_t first, size_t end) {
    const uint32_t *at = parser->structurals();
    uint32_t i = first;
    while (i < parser->structural_count() && at[i] < end) i++;
    return i - first;
}

int csj_tokens(const csj_parser *parser, uint32_t first, size_t end, uint32_t depth_max, csj_token *tokens,
               size_t *written, size_t *fault) {
    const uint8_t *bytes = parser->bytes;
    const uint32_t *at = parser->structurals();
    uint32_t last = first + uint32_t(csj_structurals(parser, first, end));
    uint32_t i = first;
    size_t n = 0;
    enum { value_or_end, value, key_or_end, key, colon, comma, done } expected = value;
    // The open containers' tokens; the count of each is the index of the one around it until it is closed.
    const uint32_t none = UINT32_MAX;
    uint32_t open = none;
    uint32_t depth = 0;
    *written = 0;

#define CSJ_FAIL(code, offset)                                                                                         \
    do {                                                                                                               \
        *fault = (offset);                                                                                             \
        return (code);                                                                                                 \
    } while (0)

    for (; i < last; i++) {
        size_t start = at[i];
        size_t limit = i + 1 < last ? at[i + 1] : end;
        uint8_t c = bytes[start];
        switch (expected) {
        case done: CSJ_FAIL(CSJ_TRAILING, start);
        case colon:
            if (c != ':') CSJ_FAIL(CSJ_COLON, start);
            expected = value;
            continue;
        case comma:
            if (c == ',') {
                expected = tokens[open].kind == CSJ_OBJECT ? key : value;
                continue;
            }
            break;
        case key:
        case key_or_end:
            if (c != '"' && !(c == '}' && expected == key_or_end)) CSJ_FAIL(CSJ_KEY, start);
            break;
        default: break;
        }
        bool closes = c == '}' || c == ']';
        if (closes) {
            bool fits = open != none && (tokens[open].kind == CSJ_OBJECT) == (c == '}') &&
                        (expected == comma || expected == (c == '}' ? key_or_end : value_or_end));
            if (!fits) CSJ_FAIL(expected == comma ? CSJ_COMMA : CSJ_VALUE, start);
            uint32_t outer = tokens[open].count;
            tokens[open].count = uint32_t(start + 1 - tokens[open].start);
            tokens[open].next = uint32_t(n);
            open = outer;
            depth--;
            expected = open == none ? done : comma;
            continue;
        }
        if (expected == comma) CSJ_FAIL(CSJ_COMMA, start);
        csj_token *token = tokens + n;
        token->start = uint32_t(start);
        token->next = uint32_t(n + 1);
        if (c == '{' || c == '[') {
            if (++depth > depth_max) CSJ_FAIL(CSJ_DEPTH, start);
            token->kind = c == '{' ? CSJ_OBJECT : CSJ_ARRAY;
            token->count = open;
            open = uint32_t(n++);
            expected = c == '{' ? key_or_end : value_or_end;
            continue;
        }
        size_t stop = run_end(bytes, start, limit);
        token->count = uint32_t(stop - start);
        if (c == '"') {
            if (stop - start < 2 || bytes[stop - 1] != '"') CSJ_FAIL(CSJ_UNCLOSED, start);
            token->start = uint32_t(start + 1);
            token->count = uint32_t(stop - start - 2);
            token->kind = CSJ_STRING;
            if (parser->escapes && memchr(bytes + start + 1, '\\', token->count)) {
                token->kind = CSJ_ESCAPED_STRING;
                if (const uint8_t *bad = bad_escape(bytes + start + 1, bytes + stop - 1)) {
                    CSJ_FAIL(CSJ_ESCAPE, size_t(bad - bytes));
                }
            }
        } else if (c == '-' || is_digit(c)) {
            if (!is_number(bytes + start, bytes + stop)) CSJ_FAIL(CSJ_NUMBER, start);
            token->kind = CSJ_NUMBER_TOKEN;
        } else if (stop - start == 4 && memcmp(bytes + start, "true", 4) == 0) {
            token->kind = CSJ_TRUE;
        } else if (stop - start == 5 && memcmp(bytes + start, "false", 5) == 0) {
            token->kind = CSJ_FALSE;
        } else if (stop - start == 4 && memcmp(bytes + start, "null", 4) == 0) {
            token->kind = CSJ_NULL;
        } else {
            CSJ_FAIL(CSJ_VALUE, start);
        }
        n++;
        if (expected == key || expected == key_or_end) {
            expected = colon;
        } else {
            expected = open == none ? done : comma;
        }
    }
    if (expected == done) {
        *written = n;
        return CSJ_OK;
    }
    *fault = end;
    if (last == first) return CSJ_EMPTY;
    switch (expected) {
    case colon: return CSJ_COLON;
    case comma: return CSJ_COMMA;
    case key:
    case key_or_end: return CSJ_KEY;
    default: return CSJ_VALUE;
    }
#undef CSJ_FAIL
}
