#include "csimdjson.h"

#include <cstring>

#include "grammar.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// The lines that a busy server reads by the million: one flat object of known fields, whose strings have no escapes. They
// are read in one pass, without an index of their structure. Whatever is not such a line is left to the road that knows all
// of JSON and what to say about mistakes: nothing is refused here, and nothing accepted that was not looked at byte by byte.

namespace {

using csj::number_end;

uint64_t load8(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

// What stands in front of a field's value when nobody puts white space there, with the quote of a value that is a text.
struct alignas(64) key_text {
    uint64_t words[2];
    uint64_t masks[2];
    uint32_t count;
    uint32_t bit;  // of the field
    uint32_t name_count;
    const char *name;
};

constexpr size_t key_bytes = 16;

constexpr key_text key(const char *name, bool is_text = true, const char *before = "") {
    key_text result = {};
    uint32_t n = 0;
    auto add = [&](char c) {
        if (n < key_bytes) {
            result.words[n / 8] |= uint64_t(uint8_t(c)) << (n % 8 * 8);
            result.masks[n / 8] |= uint64_t(0xFF) << (n % 8 * 8);
        }
        n++;
    };
    for (const char *c = before; *c; c++) add(*c);
    add('"');
    for (const char *c = name; *c; c++, result.name_count++) add(*c);
    add('"');
    add(':');
    if (is_text) add('"');
    result.name = name;
    result.count = n;
    return result;
}

// In the order of their numbers.
constexpr key_text keys[CSJ_FIELDS] = {
    key("op"),       key("id"),       key("workspace"),  key("externalId"), key("performer"), key("type"),
    key("value"),    key("currency"), key("at"),         key("title"),      key("attributes", false), key("member"),
    key("board"),    key("period"),   key("limit", false),      key("around", false),     key("lots", false),      key("referrer"),
    key("name"),     key("email"),    key("phone"),      key("birthday"),   key("registered"), key("kind"),
    key("code"),     key("referralCode"),
};

constexpr bool all_fit() {
    for (const key_text &key : keys) {
        if (key.count > key_bytes) return false;
    }
    return true;
}

static_assert(all_fit(), "a key is compared as a whole");

constexpr uint32_t bit(int field) { return 1u << field; }

// A field behind a text, from the quote that closes the text on. Where that does not fit or no text follows, there is
// something that a closing quote never begins.
struct separator_texts {
    key_text of[CSJ_FIELDS];
};

constexpr separator_texts make_separators() {
    separator_texts result = {};
    for (int field = 0; field < CSJ_FIELDS; field++) {
        bool is_text = keys[field].count == keys[field].name_count + 4;
        result.of[field] = key(keys[field].name, true, "\",");
        result.of[field].bit = bit(field);
        if (!is_text || result.of[field].count > key_bytes) result.of[field].words[0] = 0;
    }
    return result;
}

constexpr separator_texts separators = make_separators();

constexpr uint32_t common = bit(CSJ_OP) | bit(CSJ_ID) | bit(CSJ_WORKSPACE);
constexpr uint32_t number_fields = bit(CSJ_ID) | bit(CSJ_VALUE_FIELD) | bit(CSJ_LIMIT) | bit(CSJ_AROUND);
constexpr uint32_t no_text_fields = bit(CSJ_ATTRIBUTES) | bit(CSJ_LIMIT) | bit(CSJ_AROUND) | bit(CSJ_LOTS);

struct operation {
    uint32_t needed;
    uint32_t allowed;
};

constexpr operation request(uint32_t needed, uint32_t others) {
    return {needed | bit(CSJ_OP), needed | others | common};
}

// In the order of their numbers.
constexpr operation operations[CSJ_OPERATIONS] = {
    request(bit(CSJ_EXTERNAL_ID) | bit(CSJ_PERFORMER) | bit(CSJ_TYPE),
            bit(CSJ_VALUE_FIELD) | bit(CSJ_CURRENCY) | bit(CSJ_AT) | bit(CSJ_TITLE) | bit(CSJ_ATTRIBUTES)),
    request(bit(CSJ_MEMBER), bit(CSJ_NAME) | bit(CSJ_EMAIL) | bit(CSJ_PHONE) | bit(CSJ_BIRTHDAY) |
                                 bit(CSJ_REGISTERED) | bit(CSJ_KIND) | bit(CSJ_ATTRIBUTES) | bit(CSJ_REFERRER) |
                                 bit(CSJ_REFERRAL_CODE) | bit(CSJ_CODE)),
    request(bit(CSJ_BOARD) | bit(CSJ_MEMBER), bit(CSJ_AROUND) | bit(CSJ_PERIOD)),
    request(bit(CSJ_BOARD), bit(CSJ_LIMIT) | bit(CSJ_PERIOD)),
    request(bit(CSJ_MEMBER), bit(CSJ_LOTS)),
    request(bit(CSJ_MEMBER), 0),
    request(0, 0),
};

inline bool is(const uint8_t *p, const char *word, size_t count) { return memcmp(p, word, count) == 0; }

// The number of an operation, or -1.
inline int operation_number(const uint8_t *p, uint32_t count) {
    switch (count) {
    case 4: return is(p, "ping", 4) ? CSJ_PING : -1;
    case 6: return is(p, "action", 6) ? CSJ_ACTION : is(p, "wallet", 6) ? CSJ_WALLET : -1;
    case 9: return is(p, "board.top", 9) ? CSJ_BOARD_TOP : -1;
    case 10:
        return is(p, "board.rank", 10)   ? CSJ_BOARD_RANK
               : is(p, "member.put", 10) ? CSJ_MEMBER_PUT
               : is(p, "member.get", 10) ? CSJ_MEMBER_GET
                                         : -1;
    default: return -1;
    }
}

// MARK: Strings

#ifdef __SSE2__
constexpr ptrdiff_t block = 16;

// Where in a block the first byte is that ends plain text: a quote, a backslash, a control character or none of ASCII;
// `block` or more if there is none.
inline uint32_t first_stop(const uint8_t *p) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    // As signed numbers, the bytes outside of ASCII are below the blank, too.
    marks = _mm_or_si128(marks, _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
    return uint32_t(__builtin_ctz(uint32_t(_mm_movemask_epi8(marks)) | 1u << 16));
}
#else
constexpr ptrdiff_t block = 8;

inline uint32_t first_stop(const uint8_t *p) {
    const uint64_t ones = 0x0101010101010101;
    uint64_t bytes = load8(p);
    // A borrow can only mark bytes behind the first one that is rightly marked.
    auto zero = [](uint64_t word) { return (word - ones) & ~word; };
    uint64_t marks = zero(bytes ^ ones * '"') | zero(bytes ^ ones * '\\') | ((bytes - ones * ' ') & ~bytes) | bytes;
    marks &= ones << 7;
    return marks ? uint32_t(__builtin_ctzll(marks)) / 8 : 8;
}
#endif

// The rest of `closing_quote`: near the end of the buffer, and for texts that are not ASCII.
[[gnu::noinline]] const uint8_t *closing_quote_bytewise(const uint8_t *text, const uint8_t *p, const uint8_t *end) {
    uint8_t seen = 0;
    for (; p < end; p++) {
        if (*p == '"') {
            bool isValid = seen < 0x80 || simdjson::validate_utf8(reinterpret_cast<const char *>(text), size_t(p - text));
            return isValid ? p : nullptr;
        }
        if (*p == '\\' || *p < ' ') return nullptr;
        seen |= *p;
    }
    return nullptr;
}

// The quote that ends the text at `text`, which is plain up to `p`; nullptr if it has escapes, is malformed or does not
// end.
inline const uint8_t *closing_quote(const uint8_t *p, const uint8_t *text, const uint8_t *end) {
    while (end - p >= block) {
        uint32_t stop = first_stop(p);
        p += stop;
        if (stop < block) {
            if (__builtin_expect(*p == '"', 1)) return p;
            break;
        }
    }
    return closing_quote_bytewise(text, p, end);
}

// MARK: White space

inline bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

// Behind the white space at `p`, which may be `end`; line feeds end a line and are none here.
inline const uint8_t *behind_space(const uint8_t *p, const uint8_t *end) {
    while (p < end && is_blank(*p)) p++;
    return p;
}

// MARK: Keys

// Reads a key and its colon that are not those that were expected; nullptr if it is no known field.
[[gnu::noinline]] const uint8_t *other_key(const uint8_t *p, const uint8_t *end, int *field) {
    if (p == end || *p != '"') return nullptr;
    const uint8_t *name = p + 1;
    const uint8_t *quote = closing_quote(name, name, end);
    if (!quote) return nullptr;
    uint32_t count = uint32_t(quote - name);
    int found = 0;
    while (found < CSJ_FIELDS && !(keys[found].name_count == count && is(name, keys[found].name, count))) found++;
    if (found == CSJ_FIELDS) return nullptr;
    *field = found;
    p = behind_space(quote + 1, end);
    return p < end && *p == ':' ? p + 1 : nullptr;
}

inline bool begins_with(const uint8_t *p, const key_text &key) {
    return (((load8(p) ^ key.words[0]) & key.masks[0]) | ((load8(p + 8) ^ key.words[1]) & key.masks[1])) == 0;
}

// MARK: Values

// Reads a value that is no text and no attributes; nullptr if it does not belong to the field.
inline const uint8_t *other_value(const uint8_t *p, const uint8_t *end, int field, csj_row *row) {
    if (bit(field) & number_fields) {
        row->numbers |= bit(field);
        return number_end(p, end);
    }
    if (field != CSJ_LOTS) return nullptr;
    if (end - p >= 4 && is(p, "true", 4)) return p + 4;
    if (end - p >= 5 && is(p, "false", 5)) return p + 5;
    return nullptr;
}

// Where the object that opens the value of `attributes` ends; writes its tokens.
const uint8_t *behind_object(const uint8_t *line, const uint8_t *p, const uint8_t *end, csj_token *tokens,
                             uint32_t capacity, uint32_t depth_max, uint32_t *written) {
    const uint32_t none = UINT32_MAX;
    // The open containers' tokens; the count of each is the index of the one around it until it is closed.
    uint32_t open = none;
    uint32_t depth = 0;
    uint32_t n = 0;
    while (true) {
        // A value, behind its key in an object.
        p = behind_space(p, end);
        if (p == end || n + 2 > capacity) return nullptr;
        csj_token *token = tokens + n;
        token->start = uint32_t(p - line);
        token->next = n + 1;
        bool isClosed = true;
        switch (*p) {
        case '"': {
            const uint8_t *quote = closing_quote(p + 1, p + 1, end);
            if (!quote) return nullptr;
            token->start++;
            token->count = uint32_t(quote - p - 1);
            token->kind = CSJ_STRING;
            p = quote + 1;
            break;
        }
        case '{':
        case '[': {
            if (++depth > depth_max) return nullptr;
            token->kind = *p == '{' ? CSJ_OBJECT : CSJ_ARRAY;
            token->count = open;
            open = n;
            p = behind_space(p + 1, end);
            isClosed = p < end && *p == (token->kind == CSJ_OBJECT ? '}' : ']');
            break;
        }
        case 't':
        case 'n':
            if (end - p < 4 || !(is(p, "true", 4) || is(p, "null", 4))) return nullptr;
            token->kind = *p == 't' ? CSJ_TRUE : CSJ_NULL;
            token->count = 4;
            p += 4;
            break;
        case 'f':
            if (end - p < 5 || !is(p, "false", 5)) return nullptr;
            token->kind = CSJ_FALSE;
            token->count = 5;
            p += 5;
            break;
        default: {
            const uint8_t *behind = number_end(p, end);
            if (!behind) return nullptr;
            token->kind = CSJ_NUMBER_TOKEN;
            token->count = uint32_t(behind - p);
            p = behind;
        }
        }
        n++;
        bool isEmpty = isClosed && (token->kind == CSJ_OBJECT || token->kind == CSJ_ARRAY);
        // Behind a value: what it closes, or a comma.
        while (isClosed) {
            if (!isEmpty) p = behind_space(p, end);
            isEmpty = false;
            if (p == end) return nullptr;
            csj_token *around = tokens + open;
            if (*p == (around->kind == CSJ_OBJECT ? '}' : ']')) {
                p++;
                open = around->count;
                around->count = uint32_t(p - line) - around->start;
                around->next = n;
                depth--;
                if (open == none) {
                    *written = n;
                    return p;
                }
                continue;
            }
            if (*p != ',') return nullptr;
            p = behind_space(p + 1, end);
            break;
        }
        if (tokens[open].kind == CSJ_OBJECT) {
            if (p == end || *p != '"') return nullptr;
            const uint8_t *quote = closing_quote(p + 1, p + 1, end);
            if (!quote) return nullptr;
            tokens[n] = {uint32_t(p + 1 - line), uint32_t(quote - p - 1), n + 1, CSJ_STRING};
            n++;
            p = behind_space(quote + 1, end);
            if (p == end || *p != ':') return nullptr;
            p++;
        }
    }
}

// Reads the value at `p`, which is before `end`; returns what is behind it, or nullptr if it does not belong to the field.
[[gnu::noinline]] const uint8_t *value_of(csj_reader *reader, const uint8_t *line, const uint8_t *p, const uint8_t *end,
                                          int field, csj_row *row) {
    const uint8_t *start = p;
    if (*p == '"') {
        start++;
        const uint8_t *quote = closing_quote(start, start, end);
        if (!quote || no_text_fields & bit(field)) return nullptr;
        row->fields[field] = {uint32_t(start - line), uint32_t(quote - start)};
        return quote + 1;
    }
    p = field == CSJ_ATTRIBUTES && *p == '{'
            ? behind_object(line, p, end, reader->tokens.get(), reader->token_capacity, reader->depth_max - 1,
                            &row->token_count)
            : other_value(p, end, field, row);
    if (p) row->fields[field] = {uint32_t(start - line), uint32_t(p - start)};
    return p;
}

// What is looked at at once: a key, or what stands between two texts, and the beginning of the text behind it.
constexpr ptrdiff_t glance = key_bytes + block + 1;

// Reads texts from the one at `text`, that of the field expected, as long as each is followed by the one that is expected
// next; returns the quote that closes the last one, or nullptr if one is not plain.
inline const uint8_t *closing_quote_of_last(const uint8_t *text, const uint8_t *line, const uint8_t *end, csj_row *row,
                                            uint8_t *&guess, uint32_t &present) {
    int field = *guess;
    while (true) {
        // Mostly a text is short and ends where it first can; that the next field's key stands there proves it.
        const uint8_t *quote = text + first_stop(text);
        row->fields[field] = {uint32_t(text - line), uint32_t(quote - text)};
        const key_text &next = separators.of[guess[1]];
        if (__builtin_expect(end - quote < glance || !begins_with(quote, next), 0)) {
            if (quote < text + block && *quote == '"') return quote;
            quote = closing_quote(quote, text, end);
            if (!quote) return nullptr;
            row->fields[field].count = uint32_t(quote - text);
            if (end - quote < glance || !begins_with(quote, next)) return quote;
        }
        if (present & next.bit) return nullptr;
        present |= next.bit;
        text = quote + next.count;
        field = *++guess;
    }
}

// Reads the line at `line` as a plain request; returns its end, or nullptr if it is anything else, right or wrong.
const uint8_t *plain_line(csj_reader *reader, const uint8_t *line, const uint8_t *end, csj_row *row) {
    const uint8_t *p = line;
    if (*p++ != '{') return nullptr;
    uint32_t present = 0;
    row->numbers = 0;
    row->token_count = 0;
    // Mostly the fields come in the order of the line before, without white space. No field stands twice, so there are never
    // more than the order has room for.
    for (uint8_t *guess = reader->order;; guess++) {
        p = behind_space(p, end);
        int field = *guess;
        bool is_expected = end - p >= glance && begins_with(p, keys[field]);
        if (is_expected) {
            p += keys[field].count;
        } else {
            p = other_key(p, end, &field);
            if (!p) return nullptr;
            *guess = uint8_t(field);
        }
        if (present & bit(field)) return nullptr;
        present |= bit(field);
        if (is_expected && !(no_text_fields & bit(field))) {
            p = closing_quote_of_last(p, line, end, row, guess, present);
            if (!p) return nullptr;
            p++;
        } else {
            p = behind_space(p, end);
            if (p == end) return nullptr;
            p = value_of(reader, line, p, end, field, row);
            if (!p) return nullptr;
        }
        p = behind_space(p, end);
        if (p == end) return nullptr;
        if (*p++ == ',') continue;
        if (p[-1] == '}') break;
        return nullptr;
    }
    p = behind_space(p, end);
    if (p < end && *p != '\n') return nullptr;
    if (!(present & bit(CSJ_OP))) return nullptr;
    csj_span op = row->fields[CSJ_OP];
    int number = operation_number(line + op.start, op.count);
    if (number < 0) return nullptr;
    const operation &wanted = operations[number];
    if ((present & wanted.needed) != wanted.needed || (present & ~wanted.allowed) != 0) return nullptr;
    row->present = present;
    row->operation = number;
    return p;
}

}  // namespace

void csj_read_line(csj_reader *reader, const uint8_t *line, size_t count, csj_row *row) {
    const uint8_t *end = line + count;
    const uint8_t *stop = plain_line(reader, line, end, row);
    if (!stop) {
        row->operation = CSJ_OTHER;
        const void *feed = memchr(line, '\n', count);
        stop = feed ? static_cast<const uint8_t *>(feed) : end;
    }
    row->taken = uint32_t(stop - line) + (stop < end ? 1 : 0);
    row->count = uint32_t(stop - line) - (stop > line && stop[-1] == '\r' ? 1 : 0);
}
