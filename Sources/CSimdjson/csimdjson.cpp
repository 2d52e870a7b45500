#include "csimdjson.h"

#include <cstring>
#include <new>

#include "grammar.h"

// The road for any JSON, one line at a time.
//
// Stage 1 of simdjson yields the offset of every structural: one of {}[]:, or the first byte of a string, number or word.
// Every byte that is not white space belongs to exactly one of them: it runs up to the next one, white space trimmed. So
// whoever checks each structural with its run has checked every byte.

namespace {

using csj::is_digit;

bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The end of the run that begins at `start` and may not reach `limit`.
inline size_t run_end(const uint8_t *bytes, size_t start, size_t limit) {
    size_t end = limit;
    while (end > start + 1 && is_space(bytes[end - 1])) end--;
    return end;
}

bool is_number(const uint8_t *p, const uint8_t *end) { return csj::number_end(p, end) == end; }

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

// Finds the structure of a line.
int index(csj_reader *reader, const uint8_t *line, size_t count) {
    if (!reader->stage || reader->stage->capacity() < count) {
        size_t capacity = count < 65536 ? 65536 : count + count / 2;
        reader->stage.reset();
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, reader->stage)) {
            return CSJ_MEMORY;
        }
    }
    switch (reader->stage->stage1(line, count, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: return CSJ_OK;
    case simdjson::EMPTY: return CSJ_EMPTY;
    case simdjson::UTF8_ERROR: return CSJ_UTF8;
    case simdjson::UNESCAPED_CHARS: return CSJ_CONTROL;
    case simdjson::UNCLOSED_STRING: return CSJ_UNCLOSED;
    default: return CSJ_VALUE;
    }
}

// Makes room for tokens; what was in there is lost.
bool reserve(csj_reader *reader, uint32_t count) {
    if (count <= reader->token_capacity) return true;
    csj_token *made = new (std::nothrow) csj_token[2 * size_t(count)];
    if (!made) return false;
    reader->tokens.reset(made);
    reader->token_capacity = 2 * count;
    return true;
}

}  // namespace

csj_reader *csj_create(uint32_t depth_max) {
    std::unique_ptr<csj_reader> reader(new (std::nothrow) csj_reader());
    if (!reader) return nullptr;
    reader->depth_max = depth_max;
    return reserve(reader.get(), 256) ? reader.release() : nullptr;
}

void csj_destroy(csj_reader *reader) { delete reader; }

const csj_token *csj_tokens(const csj_reader *reader) { return reader->tokens.get(); }

int csj_parse(csj_reader *reader, const uint8_t *bytes, size_t end, size_t *fault) {
    *fault = SIZE_MAX;
    int failure = index(reader, bytes, end);
    if (failure != CSJ_OK) return failure;
    const uint32_t *at = reader->stage->structural_indexes.get();
    uint32_t last = 0;
    while (last < reader->stage->n_structural_indexes && at[last] < end) last++;
    if (!reserve(reader, last)) return CSJ_MEMORY;
    csj_token *tokens = reader->tokens.get();
    bool escapes = memchr(bytes, '\\', end) != nullptr;
    size_t n = 0;
    enum { value_or_end, value, key_or_end, key, colon, comma, done } expected = value;
    // The open containers' tokens; the count of each is the index of the one around it until it is closed.
    const uint32_t none = UINT32_MAX;
    uint32_t open = none;
    uint32_t depth = 0;

#define CSJ_FAIL(code, offset)                                                                                         \
    do {                                                                                                               \
        *fault = (offset);                                                                                             \
        return (code);                                                                                                 \
    } while (0)

    for (uint32_t i = 0; i < last; i++) {
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
            if (++depth > reader->depth_max) CSJ_FAIL(CSJ_DEPTH, start);
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
            if (escapes && memchr(bytes + start + 1, '\\', token->count)) {
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
    if (expected == done) return CSJ_OK;
    *fault = end;
    if (last == 0) return CSJ_EMPTY;
    switch (expected) {
    case colon: return CSJ_COLON;
    case comma: return CSJ_COMMA;
    case key:
    case key_or_end: return CSJ_KEY;
    default: return CSJ_VALUE;
    }
#undef CSJ_FAIL
}
